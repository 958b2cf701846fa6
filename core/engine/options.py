"""The flags that scripts share, and how a trial's flags and the command line come together."""
import argparse
import math

from core.datasets import DATASETS
from core.engine.trials import get_trial
from core.files import UserError


def number(kind, low, high=math.inf):
    """Return an argparse type: a finite `kind` (int or float) from `low` to `high`."""
    def read(text):
        value = kind(text)
        if not (low <= value <= high and math.isfinite(value)):
            limits = f"at least {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text} is out of range; give a number {limits}")
        return value
    read.__name__ = kind.__name__   # argparse says "invalid int value"
    return read


class Parser(argparse.ArgumentParser):
    """An argparse parser whose `--help` shows the docstring as written and the default of every flag."""

    trains = False

    def __init__(self, doc):
        super().__init__(description=doc, formatter_class=_Formatter, allow_abbrev=False)

    def add_data(self):
        """Where the pairs and their vocabulary are."""
        group = self.add_argument_group("data")
        group.add_argument("--dataset", default="FiveK", choices=sorted(DATASETS), help="which data set")
        group.add_argument("--data_root", help="its folder (images/, annotations/); by default data/<dataset>")
        group.add_argument("--session", type=number(int, 0), default=1, help="session of its annotations and "
                           "vocabulary")
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
        group.add_argument("--schedule", default="constant", choices=("constant", "cosine"), help="of the learning "
                           "rate: cosine falls to 0 at --num_iters")
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

    def add_test(self):
        """What is tested, and what is shown of it."""
        self.set_defaults(seeds=1)   # a script that tests trials has the flag by add_seeds
        group = self.add_argument_group("test")
        group.add_argument("--trial", type=number(int, 0), default=1, help="numbered trial: which run is tested")
        group.add_argument("--phase", default="test", choices=("train", "val", "test"), help="which part of the data")
        group.add_argument("--checkpoint", default="best.pt", help="file in the run's folder: best.pt or last.pt")
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


def parse(parser, experiment=None, argv=None):
    """Parse the command line; what it leaves open, the numbered trial decides, and then the defaults.

    A script for any experiment names none and has a flag with `dest="experiment"` itself.

    Returns a Namespace with `experiment`. Raises UserError for a flag in the trials file that does not exist.
    """
    if parser.trains:   # a test needs the number only: its network comes from the checkpoint
        trial = get_trial(experiment, parser.parse_args(argv).trial)
        unknown = sorted(set(trial.flags) - {action.dest for action in parser._actions})
        if unknown:
            raise UserError(f"core/trials/{experiment}.toml, trial {trial.number}: no flag is called {unknown[0]!r}")
        parser.set_defaults(**{name: str(value) for name, value in trial.flags.items()})   # argparse reads texts only
    options = parser.parse_args(argv)
    if experiment:
        options.experiment = experiment
    return options


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def _get_help_string(self, action):
        if action.default in (None, argparse.SUPPRESS, False) or "default" in (action.help or ""):
            return action.help
        return f"{action.help} (default: %(default)s)"
