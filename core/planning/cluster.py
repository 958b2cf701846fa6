"""Planning many pairs in batches: in this process, in several processes of this machine, or on a Ray cluster.

All three ways call `plan_samples` on the same batches and yield the plans in order, so their results are the same.
"""
import contextlib
import functools
import multiprocessing
import os
import re
import socket
from collections import deque
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from core.files import UserError
from core.planning.action_sets import ActionOptions
from core.planning.masked import plan_inside
from core.planning.search import Planned, plan_pairs
from core.threads import threads

RETRIES = 3   # number of retries of a batch on a Ray cluster if its worker dies
LOCAL = "local"
NEEDED = ("input", "target", "name", "masks")   # fields of a sample that are sent to a cluster
AGAIN = "run again with fewer --num_workers; planning continues where it stopped"   # usual cause: lack of memory
_CORE = Path(__file__).resolve().parents[1]


def plan_batches(samples: Dataset | Sequence[dict[str, Any]], batches: list[list[int]], options: ActionOptions,
                 workers: int | None = None, cluster: str | None = None) -> Generator[list[Planned], None, None]:
    """Yield a list of `Planned` for each of `batches`, in order; the workers plan ahead of the caller.

    Args:
        samples: a data set or a sequence of dicts with `input` and `target`, (3, H, W) in [0, 1], and `name`; with
            `options.masks` also `masks`, a list of Masks.
        batches: a list of lists of indices into `samples`; the images of a batch have the same size.
        options: ActionOptions.
        workers: number of batches planned at the same time; 0 plans in this process. None takes PyTorch's number of
            threads, or with `cluster` the cluster's number of GPUs (of CPUs if it has no GPUs).
        cluster: the address of a Ray cluster, "local" for a temporary one on this machine, or None for no Ray.

    Close the generator (contextlib.closing) if you leave it early; closing stops the workers.
    Raises UserError if no workers can be started, or if a worker dies and retries fail.
    """
    if cluster is None:
        return _on_this_machine(samples, batches, options, workers)
    return _on_ray(samples, batches, options, workers, cluster)


def plan_samples(options: ActionOptions, samples: Sequence[dict[str, Any]]) -> list[Planned]:
    """Return a `Planned` for each of a list of samples, with the same bits in every process of equal machines.

    Planning uses a single thread, because the number of threads changes the last bits of a sum, and with small
    tensors several threads mostly wait for each other. The GPU is used if there is one.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    before, after = (torch.stack([sample[side] for sample in samples]).to(device) for side in ("input", "target"))
    with threads(1):
        if options.masks:
            return [plan_inside(*pair, sample["masks"], options, sample["name"])
                    for *pair, sample in zip(before, after, samples, strict=True)]
        return plan_pairs(before, after, options, [sample["name"] for sample in samples])


def _on_this_machine(samples, batches, options, workers):
    """Plan in the worker processes of a DataLoader, whose `collate_fn` is `plan_samples`."""
    from torch.utils.data import DataLoader

    fork = "fork" if "fork" in multiprocessing.get_all_start_methods() else None   # starts faster than spawn
    if workers is None:
        pays = fork and len(batches) > 1 and not torch.cuda.is_available()
        workers = min(torch.get_num_threads(), len(batches)) if pays else 0
    if workers and torch.cuda.is_available():
        raise UserError("--num_workers: this machine plans on its GPU, in a single process; leave the flag out")
    loader = DataLoader(samples, batch_sampler=batches, collate_fn=functools.partial(plan_samples, options),
                        num_workers=workers, multiprocessing_context=fork if workers else None)
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker (pid" not in str(error):
            raise
        raise UserError(f"a planning process died ({error}); {AGAIN}") from None


def _on_ray(samples, batches, options, workers, address):
    """Plan in tasks of a Ray cluster, `workers` at a time, and yield the results in the order of the batches."""
    if not batches:
        return   # skips the start of a cluster, which takes seconds
    with _joined(address, workers) as ray:
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0))
        workers = workers or gpus or int(resources["CPU"])
        plan = ray.remote(max_retries=RETRIES, num_cpus=1, num_gpus=min(gpus, 1))(plan_samples)
        planned, running = deque(), []
        try:
            for indices in batches:
                pairs = [{key: sample[key] for key in NEEDED if key in sample}
                         for sample in map(samples.__getitem__, indices)]
                planned.append(plan.remote(options, pairs))
                running.append(planned[-1])
                if len(running) >= workers:
                    _, running = ray.wait(running)   # returns when a task is done
                while planned and planned[0] not in running:
                    yield ray.get(planned.popleft())
            while planned:
                yield ray.get(planned.popleft())
        except ray.exceptions.RayError as error:
            if missing := re.search(r"No module named '(\w+)'", str(error)):
                raise UserError(f"--ray {address}: its machines lack the module {missing[1]!r}; install "
                                f"requirements.txt on each of them") from None
            if isinstance(error, ray.exceptions.RayTaskError):   # an exception of plan_samples itself
                raise
            raise UserError(f"--ray {address}: a batch failed {RETRIES + 1} times ({type(error).__name__}); "
                            f"{AGAIN}") from None


@contextlib.contextmanager
def _joined(address, workers):
    """Yield the module `ray`, connected to the cluster at `address` until the block ends."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")   # Ray reads its variables on import
    if address == LOCAL:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")   # opens no port to other machines
    try:
        import ray
        from ray.job_config import JobConfig
    except ImportError:
        raise UserError("--ray: Ray is not installed; pip install -r requirements-scale.txt") from None
    if address == LOCAL:
        settings = {"num_cpus": workers or None, "include_dashboard": False,
                    "job_config": JobConfig(code_search_path=[str(_CORE.parent)])}
    else:   # the machines of a cluster have the libraries but not this code
        settings = {"runtime_env": {"py_modules": [str(_CORE)]}}
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level="ERROR", **settings)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"--ray {address}: cannot be joined ({error}); give HOST:PORT or auto for a running cluster "
                        f"(and its token, RAY_AUTH_TOKEN, if it asks for one), or no address to start one on "
                        f"this machine") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address):
    """Raise OSError if no server answers at HOST:PORT; Ray itself would try for minutes."""
    if match := re.fullmatch(r"([^/]+):(\d+)", address):
        socket.create_connection((match[1], int(match[2])), timeout=10).close()
