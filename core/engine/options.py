"""The flags that scripts share, and the merging of a trial's flags with the command line."""
import argparse
import contextlib
import json
import math
import re
import runpy
import sys

from easydict import EasyDict

from core.engine.trials import get_trial, trials_path
from core.files import UserError

CHECKPOINT_HELP = ("run folder or checkpoint of a planner; demo is the planner of `make demo` (default: the planner "
                   "that ships, data/planner)")

VARIANT = "--variant"   # first argument of a script that `run_variant` runs
NOT_OF_TRIALS = {"help", "dataset", "trial"}   # flags that a trial cannot set, because they select the trial


def number(kind, low, high=math.inf):
    """Return an argparse type: a finite `kind` (int or float) from `low` to `high`."""
    def read(text):
        value = kind(text)
        if not (low <= value <= high and abs(value) < 2**63):   # false for NaN, too
            limits = f"at least {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text} is out of range; give a number {limits}")
        return value
    read.__name__ = kind.__name__   # argparse says "invalid int value"
    return read


def boolean(text):
    """Read 1, true or yes as True, and 0, false or no as False. An argparse type."""
    value = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower())
    if value is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor 1")
    return value


ON, OFF = ({"type": boolean, "nargs": "?", "const": True, "default": default, "metavar": "0|1"}   # for add_argument
           for default in (True, False))


def result_name(text: str) -> str:
    """Check the name of a published result: parts of letters, digits, _, - and ., separated by slashes."""
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name; give letters, digits, _, -, . and /")
    return text


def add_check(group):
    """Add the flag --check of tests to a group of flags."""
    group.add_argument("--check", choices=("mend", "gate"), help="check each plan on a preview: mend changes its "
                       "parameters until the wishes of the request are granted; gate also adds steps for wishes that "
                       "the planner fails, as core/edit.py does")


def some_of(known, kind):
    """Return an argparse type: a comma-separated list of names from `known`; `kind` is their category, for errors."""
    def read(text):
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not a known {kind}; known are: {', '.join(known)}")
        return names
    return read


class Parser(argparse.ArgumentParser):
    """An argparse parser whose `--help` shows the docstring as written and the default of every flag."""

    trains = False
    _source = None   # see `reading`

    def __init__(self, doc):
        super().__init__(description=doc, formatter_class=_Formatter, allow_abbrev=False)

    def parse_args(self, args=None, namespace=None):
        """Parse as argparse does, and return an EasyDict."""
        return EasyDict(vars(super().parse_args(args, namespace)))

    def error(self, message):
        if self._source:
            raise UserError(f"{self._source}: {message}")
        super().error(message)

    @contextlib.contextmanager
    def reading(self, source):
        """Let a bad flag inside the block raise a UserError that begins with `source`, the file of the flag."""
        self._source = source
        try:
            yield
        finally:
            self._source = None

    def flags_of(self, name, value):
        """Convert a flag of a trials file, such as num_iters = 300, to a list of command-line arguments."""
        actions = [action for action in self._actions if action.dest == name and name not in NOT_OF_TRIALS]
        if not actions:
            self.error(f"no flag of a trial is called {name[:60]!r}")
        if isinstance(value, bool) and actions[0].type is boolean:
            value = int(value)
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
        """Add the flags that select the pairs and their vocabulary."""
        group = self.add_argument_group("data")
        from core.datasets import DATASETS  # late: many scripts have no data set, and PyTorch takes seconds to import
        group.add_argument("--dataset", default="FiveK", choices=sorted(DATASETS), help="data set")
        group.add_argument("--data_root", help="folder of the data set (images/, annotations/); by default "
                           "data/<dataset>")
        group.add_argument("--session", type=number(int, 0), default=1, help="session of the annotations and the "
                           "vocabulary")
        group.add_argument("--data_mode", help="the pairs that are used: experts joined with +, as in A+B+C; for GIER "
                           "valid, shapeAlign, shapeAlign_nonCrop, global or full, or several of these joined with +, "
                           "by default shapeAlign")
        group.add_argument("--language", default="data/language", help="folder of the vocabularies and word vectors")
        group.add_argument("--output", default="output", help="folder of runs, planned actions and caches")
        return self

    def add_machine(self):
        """Add the flags for devices, precision and loader processes."""
        group = self.add_argument_group("machine")
        group.add_argument("--gpu_ids", help="GPUs, such as 0 or 0,1; -1 for the CPU; by default a GPU if there is one")
        group.add_argument("--precision", default="32-true", choices=("32-true", "16-mixed", "bf16-mixed"),
                           help="arithmetic of the network; the executor always works in 32 bit")
        group.add_argument("--num_workers", type=number(int, 0), default=0, help="processes that load data")
        return self

    def add_training(self, num_iters=10000):
        """Add the flags of a training run, with `num_iters` iterations by default."""
        self.trains = True
        group = self.add_argument_group("training")
        group.add_argument("--trial", "--id", type=number(int, 0), default=1, help="numbered trial; its flags are in "
                           "core/trials/")
        group.add_argument("--batch_size", type=number(int, 1), default=64, help="pairs per iteration")
        group.add_argument("--num_iters", "--num_iter", type=number(int, 1), default=num_iters,
                           help="total number of iterations")
        group.add_argument("--learning_rate", type=number(float, 0), default=1e-3, help="learning rate of Adam")
        from core.engine.batches import SCHEDULES
        group.add_argument("--schedule", default="constant", choices=SCHEDULES, help="learning-rate schedule: "
                           "cosine falls to 0 at --num_iters, linear falls to 0 over the second half, halved halves "
                           "the rate at each quarter")
        group.add_argument("--manual_seed", type=number(int, 0, 2**32 - 1), default=0, help="random seed")
        group.add_argument("--print_every", type=number(int, 1), default=50, help="iterations between lines on the "
                           "console")
        group.add_argument("--checkpoint_every", type=number(int, 1), default=1000, help="iterations between "
                           "checkpoints; each checkpoint is validated, and the best is kept")
        group.add_argument("--visualize", **ON, help="write HTML pages of results")
        group.add_argument("--visualize_every", type=number(int, 1), default=1000, help="iterations between pages")
        self.add_seeds("train")
        group.add_argument("--restart", action="store_true", help="start the run anew instead of resuming it")
        return self

    def add_tested(self):
        """Add the flags that select a run and its test data; return their group."""
        self.set_defaults(seeds=1)   # a script that tests trials gets the flag from add_seeds
        group = self.add_argument_group("test")
        group.add_argument("--trial", "--id", type=number(int, 0), default=1, help="numbered trial whose run is tested")
        group.add_argument("--phase", default="test", choices=("train", "val", "test"), help="part of the data set")
        group.add_argument("--checkpoint", default="best.pt", help="file in the run's folder: best.pt or last.pt")
        return group

    def add_test(self):
        """Add the flags of a test and of its page of results."""
        group = self.add_tested()
        group.add_argument("--short_edge", type=number(int, 1), default=600, help="pixels of the short edge to which "
                           "photos are shrunk; smaller photos are not enlarged")
        group.add_argument("--fid_weights", help="file of the published Inception weights (pt_inception-2015-12-05), "
                           "or url to fetch them; by default torch hub's cache, else a stand-in, which "
                           "the results name")
        group.add_argument("--lpips_weights", help="file of torchvision's AlexNet weights for LPIPS; by default torch "
                           "hub's cache, else LPIPS is not measured")
        add_check(group)
        group.add_argument("--swap_photos", action="store_true", help="control test: plan on another photo of the set, "
                           "then execute on the right photo; compare with the normal test by misc/compare_runs.py")
        group.add_argument("--visualize", **ON, help="write the page of results")
        group.add_argument("--visualize_every", type=number(int, 1), default=1, help="show every n-th result on the "
                           "page")
        return self.add_ignored("--print_every", "--is_train")

    def add_publish(self):
        """Add --publish, the name under which figures are published; see core.engine.publish."""
        self.add_argument("--publish", type=result_name, metavar="NAME", help="also write the figures to "
                          "docs/results/NAME.json, from which `make tables` writes the tables of the documents")
        return self

    def add_ignored(self, *flags):
        """Accept flags of the notebook's command lines, with or without a value, that have no effect here."""
        for flag in flags:
            self.add_argument(flag, nargs="?", help=argparse.SUPPRESS)
        return self

    def add_seeds(self, verb):
        """Add --seeds, see core.engine.seeds; the help begins with `verb`, such as train."""
        self.add_argument("--seeds", type=number(int, 1), default=1, help=f"{verb} the trial with this number of "
                          "seeds, each in its own run folder (..._seed_1, ...), and report mean and spread")
        return self


def run_variant(script, doc, **flags):
    """Run another script with the docstring `doc` and with other defaults of its flags, such as dataset="GIER".

    `flags` may hold `experiment`, which names the runs and their trials.
    """
    sys.argv[1:1] = [VARIANT, json.dumps({"doc": doc, "flags": flags, "script": sys.argv[0]})]
    runpy.run_path(str(script), run_name="__main__")


def split_variant(argv):
    """Return (the settings that `run_variant` put before the arguments, or {}; the other arguments)."""
    return (json.loads(argv[1]), argv[2:]) if argv[:1] == [VARIANT] else ({}, argv)


ABSENT = {   # values of options for which a script has no flag
    "beam": None, "check": None, "dropout": 0.0, "expected": (), "forgiving": False, "hide_words": 0.0,
    "image_blind": False, "init": None, "lang_encoder": "words", "local": False, "manual_seed": 0, "max_steps": None,
    "op_session": None, "operators": None, "publish": None, "suffix": "", "swap_photos": False, "text_blind": False,
    "typos": 0.0, "vis_encoder": None, "wishes": False,
}


def parse(parser, experiment=None, argv=None):
    """Parse the command line. A flag that is not given takes the value of the numbered trial, else its default.

    Args:
        parser: the script's Parser.
        experiment: name of the experiment, or None if the script has a flag `--experiment`.
        argv: the arguments; None takes the program's arguments.

    Returns: an EasyDict of the resolved options, with `experiment`, and with the values of ABSENT for flags that the
    script lacks. Raises UserError, naming file, trial and flag, for a flag in the trials file that the command line
    would refuse.
    """
    variant, argv = split_variant(sys.argv[1:] if argv is None else list(argv))
    defaults = variant.get("flags", {})
    experiment = defaults.pop("experiment", experiment)
    parser.set_defaults(**defaults)
    parser.description = variant.get("doc", parser.description)
    if parser.trains:   # a test needs only the trial's number: its network comes from the checkpoint
        given = parser.parse_args(argv)
        trial = get_trial(experiment, given.trial, given.dataset)
        with parser.reading(f"{trials_path(experiment, given.dataset)}, trial {trial.number}"):
            fixed = [text for name, value in trial.flags.items() for text in parser.flags_of(name, value)]
            parser.parse_args(fixed)
        argv = [*fixed, *argv]   # argparse takes the later of two values
    options = EasyDict(ABSENT | parser.parse_args(argv))
    if experiment:
        options.experiment = experiment
    return options


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def _get_help_string(self, action):
        if action.default in (None, argparse.SUPPRESS, False) or "default" in (action.help or ""):
            return action.help
        return f"{action.help} (default: %(default)s)"
