"""CPU threads: waiting threads sleep in every script, and small work uses one thread."""
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from core.datasets.vocab import SPECIAL
from core.methods.planner import PlannerMethod
from core.models.planner import Planner, PlannerConfig
from core.operators import Plan, Step, execute
from core.operators.kernels.sources import Samples
from core.threads import GRAIN, threads, threads_for

ROOT = Path(__file__).resolve().parents[1]
BEGINNINGS = sorted(path for path in ROOT.glob("*/**/_init_paths.py") if ".venv" not in path.parts)
SAY = "import sys, _init_paths, os; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"


@pytest.mark.parametrize("path", BEGINNINGS, ids=lambda path: str(path.parent.relative_to(ROOT)))
@pytest.mark.parametrize("own", [None, "active"])
def test_threads_sleep_unless_the_user_sets_otherwise_and_torch_is_imported_later(path, own):
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    said = subprocess.run([sys.executable, "-c", SAY], cwd=path.parent, check=True, capture_output=True, text=True,
                          env=clean | ({"OMP_WAIT_POLICY": own} if own else {}))
    assert said.stdout.split() == [own or "passive", "False"]


@pytest.fixture()
def two_threads():
    with threads(2):
        yield


@pytest.mark.parametrize(("numbers", "count"), [(0, 1), (GRAIN, 1), (2 * GRAIN, 2), (100 * GRAIN, 2)])
def test_the_number_of_threads_follows_the_amount_of_work(two_threads, numbers, count):
    with threads_for(numbers):
        assert torch.get_num_threads() == count
    assert torch.get_num_threads() == 2


def test_the_number_of_threads_is_restored_after_an_error(two_threads):
    with pytest.raises(KeyError), threads(0):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("vis_encoder", "requests", "count"), [("photometric", 1, 1), ("photometric", 12, 2),
                                                                ("resnet18", 1, 2)])
def test_planning_uses_one_thread_unless_the_network_or_the_batch_is_large(two_threads, vis_encoder, requests,
                                                                               count):
    planner, seen = Planner(PlannerConfig((*SPECIAL, "brighter"), vis_encoder=vis_encoder, hidden_size=16)), []
    planner.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    PlannerMethod(planner).plans(torch.rand(3, 40, 30), ["brighter"] * requests)
    assert seen == [count]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("side", "count"), [(128, 1), (512, 2)])
def test_editing_a_small_picture_uses_one_thread(two_threads, side, count, monkeypatch):
    seen, load = set(), Samples.window

    def watch(*args):
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            if count == 2:
                both.wait(timeout=60)   # until the other thread has a strip, too
        return load(*args)
    both = threading.Barrier(2)
    monkeypatch.setattr(Samples, "window", watch)
    execute(Plan((Step.make("brightness", [0.3]),)), torch.rand(3, side, side))
    assert len(seen) == count
