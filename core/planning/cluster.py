"""Planning many pairs, batch by batch: in this process, by processes of this machine, or on a Ray cluster.

All three call `plan_samples` on the same batches and give the plans back in order, so it does not matter who works.
"""
import contextlib
import functools
import multiprocessing
import os
import re
import socket
from collections import deque
from pathlib import Path

import torch

from core.files import UserError
from core.planning.search import plan_pairs
from core.threads import threads

RETRIES = 3   # how often a Ray cluster plans a batch again whose worker died
LOCAL = "local"
AGAIN = "run again with fewer --num_workers: planning goes on where it stopped"   # most die of lack of memory
_CORE = Path(__file__).resolve().parents[1]


def plan_batches(samples, batches, options, workers=None, cluster=None):
    """Yield for each of `batches`, in order, the list of its pairs' `Planned`; workers run ahead of the reader.

    Args:
        samples: gives by index a dict with `input` and `target`, (3, H, W) in [0, 1], and `name`.
        batches: a list of lists of indices into `samples`; the pictures of a batch have one size.
        options: ActionOptions.
        workers: how many batches are planned at the same time; 0 plans in this process. By default as many as
            PyTorch would take threads, or the cluster's GPUs, or its CPUs if it has none.
        cluster: the address of a Ray cluster; "local" is one on this machine that ends with the work, None no Ray.

    Close the generator (contextlib.closing) when leaving early: that stops the workers.
    Raises UserError where there are no workers to be had, or they died for good.
    """
    if cluster is None:
        return _on_this_machine(samples, batches, options, workers)
    return _on_ray(samples, batches, options, workers, cluster)


def plan_samples(options, samples):
    """Return the `Planned` of each of a list of samples, with the same bits in every process of like machines.

    A single thread plans: how a sum is split among threads shows in its last bits, and with small tensors threads
    mostly wait for each other. Where there is a GPU, it does the work.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    before, after = (torch.stack([sample[side] for sample in samples]).to(device) for side in ("input", "target"))
    with threads(1):
        return plan_pairs(before, after, options, [sample["name"] for sample in samples])


def _on_this_machine(samples, batches, options, workers):
    """Plan in the workers of a DataLoader, which are made to load samples and collate them."""
    from torch.utils.data import DataLoader

    fork = "fork" if "fork" in multiprocessing.get_all_start_methods() else None   # at once, and with what is loaded
    if workers is None:
        pays = fork and len(batches) > 1 and not torch.cuda.is_available()
        workers = min(torch.get_num_threads(), len(batches)) if pays else 0
    if workers and torch.cuda.is_available():
        raise UserError("--num_workers: this machine plans on its GPU, which one process fills; leave the flag out")
    loader = DataLoader(samples, batch_sampler=batches, collate_fn=functools.partial(plan_samples, options),
                        num_workers=workers, multiprocessing_context=fork if workers else None)
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker (pid" not in str(error):
            raise
        raise UserError(f"a process that planned died ({error}); {AGAIN}") from None


def _on_ray(samples, batches, options, workers, address):
    """Plan in tasks of a Ray cluster, `workers` at a time; what is done early waits for its turn."""
    if not batches:
        return   # a cluster takes seconds to start
    with _joined(address, workers) as ray:
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0))
        workers = workers or gpus or int(resources["CPU"])
        plan = ray.remote(max_retries=RETRIES, num_cpus=1, num_gpus=min(gpus, 1))(plan_samples)
        planned, running = deque(), []
        try:
            for indices in batches:
                pairs = [{key: samples[index][key] for key in ("input", "target", "name")} for index in indices]
                planned.append(plan.remote(options, pairs))
                running.append(planned[-1])
                if len(running) >= workers:
                    _, running = ray.wait(running)   # until one of them is done
                while planned and planned[0] not in running:
                    yield ray.get(planned.popleft())
            while planned:
                yield ray.get(planned.popleft())
        except ray.exceptions.RayError as error:
            if missing := re.search(r"No module named '(\w+)'", str(error)):
                raise UserError(f"--ray {address}: its machines lack the module {missing[1]!r}; install "
                                f"requirements.txt on each of them") from None
            if isinstance(error, ray.exceptions.RayTaskError):   # our own fault
                raise
            raise UserError(f"--ray {address}: a batch failed {RETRIES + 1} times ({type(error).__name__}); "
                            f"{AGAIN}") from None


@contextlib.contextmanager
def _joined(address, workers):
    """Give the module `ray`, connected to the cluster at `address` until the block ends."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")   # Ray reads these when it is imported
    if address == LOCAL:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")   # on any system: no port is open to others
    try:
        import ray
        from ray.job_config import JobConfig
    except ImportError:
        raise UserError("--ray: Ray is not installed; pip install -r requirements-scale.txt") from None
    if address == LOCAL:
        settings = {"num_cpus": workers or None, "include_dashboard": False,
                    "job_config": JobConfig(code_search_path=[str(_CORE.parent)])}
    else:   # the machines of a cluster have the libraries, not this code
        settings = {"runtime_env": {"py_modules": [str(_CORE)]}}
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level="ERROR", **settings)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"--ray {address}: cannot be joined ({error}); give HOST:PORT or auto for a running cluster "
                        f"(and its token, RAY_AUTH_TOKEN, if it asks for one), or no address for one on this "
                        f"machine") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address):
    """Raise OSError where nobody answers at HOST:PORT; Ray itself would try for minutes."""
    if match := re.fullmatch(r"([^/]+):(\d+)", address):
        socket.create_connection((match[1], int(match[2])), timeout=10).close()
