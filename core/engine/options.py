"""The flags that scripts share, and how a trial's flags and the command line come together."""
import argparse
import contextlib
import math
import runpy
import sys

from core.datasets import DATASETS
from core.engine.run import SCHEDULES
from core.engine.trials import get_trial, trials_path
from core.files import UserError
from core.losses.gan import KINDS
from core.models.discriminator import NORMS

NOT_OF_TRIALS = {"help", "dataset", "trial"}   # they choose the trial


def number(kind, low, high=math.inf):
    """Return an argparse type: a finite `kind` (int or float) from `low` to `high`."""
    def read(text):
        value = kind(text)
        if not (low <= value <= high and abs(value) < 2**63):   # NaN is not
            limits = f"at least {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text} is out of range; give a number {limits}")
        return value
    read.__name__ = kind.__name__   # argparse says "invalid int value"
    return read


class Parser(argparse.ArgumentParser):
    """An argparse parser whose `--help` shows the docstring as written and the default of every flag."""

    trains = False
    _source = None   # see `reading`
    variant = None   # of a script that is run as another one: its docstring and its defaults

    def __init__(self, doc):
        super().__init__(description=self.variant[0] if self.variant else doc, formatter_class=_Formatter,
                         allow_abbrev=False)

    def error(self, message):
        if self._source:
            raise UserError(f"{self._source}: {message}")
        super().error(message)

    @contextlib.contextmanager
    def reading(self, source):
        """Let a bad flag inside the block raise a UserError that names `source`, the file that the flag comes from."""
        self._source = source
        try:
            yield
        finally:
            self._source = None

    def flags_of(self, name, value):
        """Return what the command line would give for a flag of a trials file, such as num_iters = 300, as a list."""
        actions = [action for action in self._actions if action.dest == name and name not in NOT_OF_TRIALS]
        if not actions:
            self.error(f"no flag of a trial is called {name[:60]!r}")
        if isinstance(value, bool):
            switch = next((action for action in actions if action.const is True), None)
            if switch is None:
                self.error(f"{name} needs a value, not true or false")
            return [switch.option_strings[0]] if value else []
        action = next((action for action in actions if action.nargs != 0), None)
        if action is None:
            self.error(f"{name} must be true or false")
        if not ("\0" not in value if isinstance(value, str) else
                isinstance(value, (int, float)) and abs(value) < 2**63):
            self.error(f"{name} must be text or a finite number")
        return [f"{action.option_strings[0]}={value}"]

    def add_data(self):
        """Where the pairs and their vocabulary are."""
        group = self.add_argument_group("data")
        group.add_argument("--dataset", default="FiveK", choices=sorted(DATASETS), help="which data set")
        group.add_argument("--data_root", help="its folder (images/, annotations/); by default data/<dataset>")
        group.add_argument("--session", type=number(int, 0), default=1, help="session of its annotations and "
                           "vocabulary")
        group.add_argument("--data_mode", help="which pairs of GIER: valid, shapeAlign, shapeAlign_nonCrop, global or "
                           "full, several joined with +; where none is given, shapeAlign")
        group.add_argument("--language", default="data/language", help="folder of the vocabularies and word vectors")
        group.add_argument("--output", default="output", help="folder of runs, planned actions and caches")
        return self

    def add_machine(self):
        """What computes."""
        group = self.add_argument_group("machine")
        group.add_argument("--gpu_ids", help="GPUs, such as 0 or 0,1; -1 for the CPU; by default what there is")
        group.add_argument("--precision", default="32-true", choices=("32-true", "16-mixed", "bf16-mixed"),
                           help="arithmetic of the network; the executor always works in 32 bit")
        group.add_argument("--num_workers", type=number(int, 0), default=0, help="processes that load data")
        return self

    def add_training(self, num_iters=10000):
        """How long, how fast, how often."""
        self.trains = True
        group = self.add_argument_group("training")
        group.add_argument("--trial", type=number(int, 0), default=1, help="numbered trial; its flags are in "
                           "core/trials/")
        group.add_argument("--batch_size", type=number(int, 1), default=64, help="pairs per iteration")
        group.add_argument("--num_iters", "--num_iter", type=number(int, 1), default=num_iters,
                           help="iterations in all")
        group.add_argument("--learning_rate", type=number(float, 0), default=1e-3, help="of Adam")
        group.add_argument("--schedule", default="constant", choices=SCHEDULES, help="of the learning rate: "
                           "cosine falls to 0 at --num_iters, linear does from the middle on, halved halves it at each "
                           "quarter")
        group.add_argument("--manual_seed", type=number(int, 0, 2**32 - 1), default=0, help="of everything random")
        group.add_argument("--print_every", type=number(int, 1), default=50, help="iterations between lines on the "
                           "console")
        group.add_argument("--checkpoint_every", type=number(int, 1), default=1000, help="iterations between "
                           "checkpoints; each is validated, the best is kept")
        group.add_argument("--visualize", type=int, default=1, choices=(0, 1), help="write pages to look at")
        group.add_argument("--visualize_every", type=number(int, 1), default=1000, help="iterations between pages")
        self.add_seeds("train")
        group.add_argument("--restart", action="store_true", help="start the run anew instead of resuming it")
        return self

    def add_gan(self):
        """A discriminator, what it plays for, and what the generator learns from it."""
        group = self.add_argument_group("adversarial training")
        group.add_argument("--gan", default="lsgan", choices=KINDS, help="the game: least squares, cross-entropy, "
                           "hinge, or WGAN with its gradient penalty")
        group.add_argument("--no_lsgan", dest="gan", action="store_const", const="vanilla", help="the notebook's flag "
                           "for --gan vanilla")
        group.add_argument("--no_vgg_loss", action="store_true", help="leave the perceptual loss out")
        group.add_argument("--vgg_weights", help="file of torchvision's VGG-19 for the perceptual loss; by default "
                           "torch hub's cache, else a named stand-in")
        group.add_argument("--lambda_vgg", type=number(float, 0), default=10.0, help="weight of the perceptual loss")
        group.add_argument("--no_ganFeat_loss", action="store_true", help="leave the matching of the discriminator's "
                           "features out")
        group.add_argument("--lambda_feat", type=number(float, 0), default=10.0, help="weight of the matching of "
                           "features")
        group.add_argument("--r1", type=number(float, 0), default=0.0, help="weight (gamma) of the R1 penalty on the "
                           "discriminator's gradient at real pictures")
        group.add_argument("--learning_rate_D", type=number(float, 0), default=2e-4, help="of the discriminator's Adam")
        group.add_argument("--cond_nc", type=number(int, 1), default=512, help="channels of the words in the "
                           "discriminator")
        group.add_argument("--num_D", type=number(int, 1), default=2, help="scales that it looks at")
        group.add_argument("--n_layers_D", type=number(int, 1), default=3, help="its strided blocks")
        group.add_argument("--ndf", type=number(int, 1), default=64, help="channels of the first of them")
        group.add_argument("--norm_D", default="instance", choices=NORMS, help="its norm: instance as pix2pixHD; "
                           "spectral keeps what edits change, the mean and the spread of a picture")
        return self

    def add_tested(self):
        """Which run is tested, and on what; return the group of flags."""
        self.set_defaults(seeds=1)   # a script that tests trials has the flag by add_seeds
        group = self.add_argument_group("test")
        group.add_argument("--trial", type=number(int, 0), default=1, help="numbered trial: which run is tested")
        group.add_argument("--phase", default="test", choices=("train", "val", "test"), help="which part of the data")
        group.add_argument("--checkpoint", default="best.pt", help="file in the run's folder: best.pt or last.pt")
        return group

    def add_test(self):
        """What is tested, and what is shown of it."""
        group = self.add_tested()
        group.add_argument("--short_edge", type=number(int, 1), default=600, help="photos are shrunk to it, never "
                           "enlarged")
        group.add_argument("--fid_weights", help="file of the published Inception weights (pt_inception-2015-12-05), "
                           "or url to fetch them; by default torch hub's cache, else a named stand-in")
        group.add_argument("--lpips_weights", help="file of torchvision's AlexNet weights for LPIPS; by default torch "
                           "hub's cache, else LPIPS is not measured")
        group.add_argument("--print_every", type=int, default=100, help=argparse.SUPPRESS)   # the bar shows progress
        group.add_argument("--visualize", type=int, default=1, choices=(0, 1), help="write the page")
        group.add_argument("--visualize_every", type=number(int, 1), default=1, help="images between entries of the "
                           "page")
        group.add_argument("--is_train", type=int, default=0, help=argparse.SUPPRESS)        # the notebook gives it
        return self

    def add_seeds(self, verb):
        """How often the same, by chance otherwise; see core.engine.seeds."""
        self.add_argument("--seeds", type=number(int, 1), default=1, help=f"{verb} the trial under so many seeds, each "
                          "in a run folder of its own (..._seed_1, ...), and report mean and spread")
        return self


def run_variant(script, doc, **defaults):
    """Run another script as the one that was started: with its flags, but these defaults and this docstring.

    Args:
        script: its file.
        doc: what `--help` says in place of the script's own docstring.
        defaults: of its flags, such as dataset="GIER"; `experiment` is the name of its runs and trials.
    """
    before, Parser.variant = Parser.variant, (doc, defaults)
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        Parser.variant = before


def parse(parser, experiment=None, argv=None):
    """Parse the command line; what it leaves open, the numbered trial decides, and then the defaults.

    A script for any experiment names none and has a flag with `dest="experiment"` itself. See also `run_variant`.

    Returns a Namespace with `experiment`. Raises UserError for a flag in the trials file that the command line would
    refuse, naming file, trial and flag.
    """
    if parser.variant:
        defaults = dict(parser.variant[1])
        experiment = defaults.pop("experiment", experiment)
        parser.set_defaults(**defaults)
    if parser.trains:   # a test needs the number only: its network comes from the checkpoint
        given = parser.parse_args(argv)
        trial = get_trial(experiment, given.trial, given.dataset)
        with parser.reading(f"{trials_path(experiment, given.dataset)}, trial {trial.number}"):
            fixed = [text for name, value in trial.flags.items() for text in parser.flags_of(name, value)]
            parser.parse_args(fixed)
        argv = [*fixed, *(sys.argv[1:] if argv is None else argv)]   # of two values the later one counts
    options = parser.parse_args(argv)
    if experiment:
        options.experiment = experiment
    return options


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def _get_help_string(self, action):
        if action.default in (None, argparse.SUPPRESS, False) or "default" in (action.help or ""):
            return action.help
        return f"{action.help} (default: %(default)s)"
