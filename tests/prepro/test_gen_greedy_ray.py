"""Planning by several workers gives the same file as one; a dead worker is replaced or reported; Ctrl-C ends all."""
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import asdict
from importlib.util import find_spec

import pytest
import torch
from PIL import Image

from core import planning
from core.datasets import ActionSet, WordVocab, vocab_files
from core.datasets.vocab import SPECIAL, save_operator_vocab
from core.files import UserError
from core.operators import OperatorVocab
from core.planning import ActionOptions, action_options, cluster
from core.planning.cluster import plan_batches, plan_samples

PAIRS, BATCH = 70, 32   # two batches and a short one
with_ray = pytest.mark.skipif(not find_spec("ray"), reason="needs Ray: pip install -r requirements-scale.txt")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a folder with pairs and their vocabulary; thumbnails are made once."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def plan(project, photo, run_script):
    """Return `plan(number, *flags)`: run the script for set `number`; return its result and its file of plans."""
    if not (project / "set").exists():
        write_project(project, photo)

    def run(number, *flags):
        result = run_script("prepro/gen_greedy_seqs.py", "--data_root", project / "set", "--language",
                            project / "language", "--output", project / "output", "--action_id", number,
                            "--operators", "brightness,tint", "--max_steps", 2, "--visualize", 0, *flags)
        return result, project / f"output/actions_set_{number}/FiveK_train_sess_1.jsonl"
    return run


def write_project(root, photo):
    """Write PAIRS pairs of ten inputs and seven outputs, and the vocabularies."""
    (root / "set/images").mkdir(parents=True)
    (root / "set/annotations").mkdir()
    for number in range(10):
        Image.fromarray(photo(24, 32, seed=number)).save(root / f"set/images/{number}_O.png")
        Image.fromarray(photo(24, 32, seed=number + 10)).save(root / f"set/images/{number}_A.png")
    (root / "set/annotations/train_sess_1.json").write_text(json.dumps([
        {"input": f"{number % 10}_O.png", "output": f"{number // 10}_A.png", "request": "darker"}
        for number in range(PAIRS)]))
    files = vocab_files("FiveK", 1, root / "language")
    WordVocab((*SPECIAL, "darker")).save(files.words)
    save_operator_vocab(files.operators, OperatorVocab())


@pytest.fixture
def whole(project, plan):
    """Return the bytes of the file that a single process writes."""
    path = project / "whole.jsonl"
    if not path.exists():
        result, made = plan(12, "--num_workers", 0)
        assert result.code == 0, result.err
        path.write_bytes(made.read_bytes())
    return path.read_bytes()


class Deadly(ActionOptions):
    """Options that kill the first worker during its search with SIGKILL, like a system that runs out of memory."""

    marker = main_process = None

    def __getattribute__(self, name):
        if name == "beam" and self.marker and os.getpid() != self.main_process:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__getattribute__(name)


@pytest.fixture
def marker(monkeypatch, tmp_path):
    """Let the script search with `Deadly` options; return the path of the file that exists once a worker was killed."""
    path = tmp_path / "killed"

    def deadly(*arguments, **overrides):
        options = Deadly(**asdict(action_options(*arguments, **overrides)))
        vars(options).update(marker=str(path), main_process=os.getpid())
        return options
    monkeypatch.setattr(planning, "action_options", deadly)
    if find_spec("ray"):
        from ray import cloudpickle
        cloudpickle.register_pickle_by_value(sys.modules[__name__])   # workers cannot import this module
    return path


def rows(data):
    """Return how many whole rows `data` has."""
    assert data.endswith(b"\n")
    return data.count(b"\n")


# Processes on this machine

@pytest.fixture
def two_threads():
    """Let PyTorch use two threads, as outside of the tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def test_processes_write_the_same_file(plan, whole):
    result, path = plan(20, "--num_workers", 2)
    assert result.code == 0, result.err
    assert path.read_bytes() == whole
    assert rows(whole) == PAIRS


def test_plans_do_not_depend_on_the_number_of_threads(two_threads):
    images = torch.rand(2, 8, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    samples = [{"input": before, "target": before * 0.5 + after * 0.3, "name": str(index)}
               for index, (before, after) in enumerate(zip(*images, strict=True))]
    found = []
    for count in (2, 1):
        torch.set_num_threads(count)
        found.append(plan_samples(ActionOptions(("brightness", "contrast")), samples))
        assert torch.get_num_threads() == count
    assert found[0] == found[1]


@pytest.mark.parametrize("flags", [("--num_workers", 2), ()], ids=["two", "default"])
def test_a_killed_process_is_named_and_nothing_is_lost(plan, whole, marker, two_threads, flags):
    number = 30 + len(flags)
    result, path = plan(number, *flags)
    assert result.code == 2
    assert marker.exists()
    assert "a planning process died" in result.err
    assert "fewer --num_workers" in result.err
    assert not path.exists() or whole.startswith(path.read_bytes())
    result, path = plan(number, *flags)   # the marker exists, so no worker is killed
    assert result.code == 0, result.err
    assert path.read_bytes() == whole


def test_processes_do_not_share_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(UserError, match="--num_workers: this machine plans on its GPU"):
        next(plan_batches([], [[0]], ActionOptions(), workers=2))


# A Ray cluster

@with_ray
def test_a_cluster_writes_the_same_file_though_a_worker_is_killed(plan, whole, marker):
    result, path = plan(39, "--ray", "--num_workers", 2)
    assert result.code == 0, result.err
    assert marker.exists()
    assert path.read_bytes() == whole
    assert f"{PAIRS}/{PAIRS}" in result.err   # the progress bar


@with_ray
def test_a_batch_that_kills_its_workers_is_given_up_and_nothing_is_lost(plan, whole, marker, monkeypatch):
    import ray
    monkeypatch.setattr(cluster, "RETRIES", 0)
    result, path = plan(61, "--ray", "--num_workers", 1)
    assert result.code == 2
    assert "--ray local: a batch failed 1 times (WorkerCrashedError); run again with fewer --num_workers" in result.err
    assert not ray.is_initialized()
    result, path = plan(61, "--num_workers", 0)
    assert result.code == 0, result.err
    assert path.read_bytes() == whole


@with_ray
def test_ctrl_c_ends_the_cluster_and_keeps_finished_plans(plan, whole, monkeypatch):
    import ray
    append, calls = ActionSet.append, []

    def interrupted(actions, found):
        if calls.append(1) or len(calls) == 2:
            raise KeyboardInterrupt
        append(actions, found)
    with monkeypatch.context() as patch:
        patch.setattr(ActionSet, "append", interrupted)
        result, path = plan(42, "--ray", "--num_workers", 2)
    assert result.code == 130
    assert not ray.is_initialized()
    begun = path.read_bytes()
    assert rows(begun) == BATCH
    assert whole.startswith(begun)
    result, path = plan(42, "--num_workers", 0)
    assert result.code == 0, result.err
    assert path.read_bytes() == whole


@with_ray
def test_a_cluster_that_does_not_answer_is_named(plan):
    with socket.socket() as closed:   # bound to a port, but not listening
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        for given in (address, "nonsense"):
            result, path = plan(43, "--ray", given)
            assert result.code == 2
            assert f"--ray {given}: cannot be joined" in result.err
            assert "HOST:PORT" in result.err
            assert not path.exists()


def test_ray_is_optional_and_asked_for_by_name(plan, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)   # as if it were not installed
    result, path = plan(44, "--ray")
    assert result.code == 2
    assert "Ray is not installed; pip install -r requirements-scale.txt" in result.err
    assert not path.exists()
