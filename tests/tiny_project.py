"""A complete tiny project: data, vocabulary, plans and a trained run, made once by the scripts themselves.

The project has the layout of the repository, so a script that runs in it finds everything by its default flags.
"""
import contextlib
import functools
import io
import runpy
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RAN = "ran this script"   # a property of tests that ran a script to its end; conftest.py collects them
SCRIPTS = sorted(str(path.relative_to(ROOT)) for folder in ("core", "prepro", "synthdata", "data/*", "AMT", "misc")
                 for path in ROOT.glob(f"{folder}/*.py") if "__main__" in path.read_text(encoding="utf-8"))
SYNTH = ("--dataset", "synth", "--session", "1")
TINY = (*SYNTH, "--vis_encoder", "photometric", "--hidden_size", "16", "--batch_size", "4", "--print_every", "1",
        "--visualize", "0")
# `make demo` trains trial 100. 120 quick iterations teach its planner to edit at all.
TAUGHT = (*TINY, "--trial", "100", "--words_first", "0", "--rehearse", "0", "--parameter_weight", "2")
TRAINED = (*TAUGHT, "--num_iters", "120", "--checkpoint_every", "120", "--learning_rate", "0.01", "--visualize", "1",
           "--visualize_every", "120")
RUN = "output/synth_seq2seqL1_trial_100"


def tiny_project(factory):
    """Return the folder of the project, made on first use. Tests must work on a copy. `factory`: tmp_path_factory."""
    return _made(factory.getbasetemp() / "tiny_project")


@functools.cache
def _made(root):
    root.mkdir()
    with contextlib.chdir(root):
        _run("synthdata/gen_data.py", "--session", 1, "--start", 0, "--end", 10, "--size", 64, "--visualize", 2)
        _run("prepro/build_vocab.py", *SYNTH, "--min_count", 1)
        _run("prepro/gen_greedy_seqs.py", *SYNTH, "--phase", "train,test")
        _run("core/train_seq2seqL1.py", *TRAINED)
    return root


def copy_of(project, folder):
    """Copy the project into `folder`, without files that scripts can make again; return the copy."""
    return shutil.copytree(project, folder / "project", ignore=shutil.ignore_patterns("cache", "web*"))


def _run(script, *flags):
    """Run a script silently; unlike the fixture `run_script`, this works outside of a test."""
    path = ROOT / script
    with (pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()),
          contextlib.redirect_stderr(io.StringIO())):
        patch.setattr(sys, "argv", [str(path), *map(str, flags)])
        patch.setattr(sys, "path", [str(path.parent), *sys.path])
        patch.delitem(sys.modules, "_init_paths", raising=False)
        runpy.run_path(str(path), run_name="__main__")
