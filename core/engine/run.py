"""A training run: its folder, device, batches, log, checkpoints and resuming. It never sees a loss formula."""
import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import torch
from tqdm import tqdm

from core.engine.checkpoints import load_checkpoint, save_checkpoint
from core.files import UserError, append_jsonl, read_jsonl, write_json, write_jsonl

# Flags that may differ between the parts of one run, because they do not change what is computed.
FREE = {"num_iters", "print_every", "checkpoint_every", "visualize", "visualize_every", "num_workers", "gpu_ids",
        "restart", "output", "data_root", "language", "seeds"}


def run_folder(options):
    """Return `output/<dataset>_<experiment>_trial_<n>`, with `_seed_<k>` behind it for the k-th further seed."""
    suffix = getattr(options, "suffix", "")   # set by core.engine.seeds
    return Path(options.output) / f"{options.dataset}_{options.experiment}_trial_{options.trial}{suffix}"


def test_folder(options):
    """Return the folder of a run's test: `test`, or `test_val` and `test_train` for the other phases."""
    return run_folder(options) / ("test" if options.phase == "test" else f"test_{options.phase}")


def revision():
    """Return the git revision of the code, with + when it was changed, or "unknown"."""
    try:
        found = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True,
                               cwd=Path(__file__).parent, timeout=10, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


class Run:
    """Plumbing of a train script: `setup` the model, iterate over `batches`, `step` each loss, `log`, `save`.

    Iteration k depends only on the seed, k and the weights: everything random is seeded anew at its start. That is
    why a resumed run gives the same losses as an unbroken one (on a CPU).
    """

    def __init__(self, options):
        from lightning_fabric import Fabric
        self.options = options
        self.folder = run_folder(options)
        accelerator, devices, nodes = _devices(options.gpu_ids)
        many = nodes * (devices if isinstance(devices, int) else len(devices)) > 1
        self.fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, precision=options.precision,
                             strategy="ddp_find_unused_parameters_true" if many else "auto")
        self.fabric.launch()
        self.device = self.fabric.device
        self.iteration, self.best, self.saved = 0, None, None
        self._losses, self._since = {}, []
        self._events = None
        self._find_saved()
        torch.manual_seed(options.manual_seed)

    def _find_saved(self):
        """Read the checkpoint that lies in the folder, unless it was made with other flags."""
        path = self.folder / "last.pt"
        if path.exists() and not self.options.restart:
            self.saved = load_checkpoint(path, self.options.experiment)
            made = self.saved["options"]   # options.json may be of a later, broken start
            for name, value in vars(self.options).items():
                if name not in FREE and made.get(name, value) != value:
                    raise UserError(f"{self.folder}: was trained with --{name} {made[name]}, not {value}; repeat that "
                                    f"flag, or give another --trial, or --restart to train anew")
            self.iteration, self.best = self.saved["iteration"], self.saved["best"]

    def setup(self, model, optimizer, *methods):
        """Move model and optimizer to the device(s), restoring them if the run resumes, and open the run's folder.

        `methods` are names of the model's methods that compute as `forward` does.
        """
        if self.saved:
            self._restore(model)
        self.model = model
        if len(list(model.parameters())):
            model, optimizer = self.fabric.setup(model, optimizer)
        for name in methods:
            model.mark_forward_method(name)
        if self.saved:
            optimizer.load_state_dict(self.saved["optimizer"])
            self.say(f"resuming {self.folder} after iteration {self.iteration}")
            if self.iteration >= self.options.num_iters:
                self.say(f"nothing to do: --num_iters {self.options.num_iters} are done; give more, or --restart")
        self.optimizer = optimizer
        self._open_folder()
        return model

    def _open_folder(self):
        """Write how the run was started, and cut its logs to what the checkpoint knows."""
        if not self.fabric.is_global_zero:
            return
        write_json(self.folder / "options.json", vars(self.options) | {"revision": revision()}, indent=1)
        for log in (self.folder / "log.jsonl", self.folder / "validation.jsonl"):
            rows = read_jsonl(log) if self.saved and log.exists() else []
            write_jsonl(log, [row for row in rows if row["iteration"] <= self.iteration])

    def _restore(self, model):
        """Load the saved weights into a model of the same configuration. Raises UserError."""
        path = self.folder / "last.pt"
        if self.saved["model"]["config"] != model.checkpoint()["config"]:
            raise UserError(f"{path}: was trained with another vocabulary or network; bring that back, or give another "
                            f"--trial, or --restart to train anew")
        try:
            model.load_state_dict(self.saved["model"]["weights"])
        except RuntimeError as error:
            raise UserError(f"{path}: does not fit this version's network or operator table; give another --trial, or "
                            f"--restart to train anew ({str(error).splitlines()[-1].strip()})") from None

    def batches(self, dataset, since=0, until=None):
        """Yield a batch on the device for each iteration that remains of a part of the run, with a progress bar.

        The part begins after `since` iterations and ends after `until` (None: after the last); the learning rate
        follows its schedule once in each part.

        Ctrl-C finishes the iteration, saves and raises KeyboardInterrupt; a second one leaves at once.
        """
        from torch.utils.data import DataLoader
        total = self.options.num_iters if until is None else min(until, self.options.num_iters)
        order = IterationBatches(len(dataset), self.options, self.iteration, total, self.fabric)
        if not len(order):
            return
        loader = DataLoader(dataset, batch_sampler=order, num_workers=self.options.num_workers,
                            persistent_workers=self.options.num_workers > 0)
        with (tqdm(total=total, initial=self.iteration, unit="it", disable=not self.fabric.is_global_zero) as bar,
              _deferred_interrupt() as interrupted):
            for batch in loader:
                torch.manual_seed(self.options.manual_seed * 1_000_003 + self.iteration)
                for group in self.optimizer.param_groups:
                    group["lr"] = self._learning_rate((self.iteration - since) / (total - since))
                self._losses = {}
                yield {key: value.to(self.device, non_blocking=True) if torch.is_tensor(value) else value
                       for key, value in batch.items()}
                self.iteration += 1
                self._log(bar)
                if interrupted.is_set():
                    self.save()
                    raise KeyboardInterrupt
        if self._events:
            self._events.close()
            self._events = None

    def _learning_rate(self, done):
        """Return the rate after a share of a part is done: constant, or falling along half a cosine to 0."""
        rate = self.options.learning_rate
        return rate * (1 + math.cos(math.pi * done)) / 2 if self.options.schedule == "cosine" else rate

    def step(self, **losses):
        """Descend along the sum of named losses. Raises UserError naming a loss that is not finite."""
        for name, loss in losses.items():
            value = float(loss.detach())
            if not math.isfinite(value):
                raise UserError(f"loss {name!r} became {value} in iteration {self.iteration + 1}; lower "
                                f"--learning_rate and run again: the last checkpoint is whole")
            self._losses[name] = value
        total = sum(losses.values())
        if total.requires_grad:   # an executed plan without a step has nothing to learn from
            self.optimizer.zero_grad(set_to_none=True)
            self.fabric.backward(total)
            self.optimizer.step()

    def due(self, every):
        """Whether the iteration under way is a multiple of `every`, or the last one."""
        return (self.iteration + 1) % every == 0 or self.iteration + 1 == self.options.num_iters

    def _log(self, bar):
        if not self.fabric.is_global_zero:
            return
        append_jsonl(self.folder / "log.jsonl", [{"iteration": self.iteration, **self._losses}])
        self._since.append(self._losses)
        if self.iteration % self.options.print_every == 0 or self.iteration == self.options.num_iters:
            means = {name: sum(row[name] for row in self._since) / len(self._since) for name in self._losses}
            self._since = []
            text = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            tqdm.write(f"iter {self.iteration}/{self.options.num_iters}  {text}")
            self._record(means, self.iteration)
            bar.set_postfix_str(text)
        bar.update()

    def _record(self, scalars, iteration):
        """Add scalars to the TensorBoard events: at once, not by a thread that dies of a full disk unheard."""
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar
        if self._events is None:
            self._events = EventsWriter(str(self.folder / "events"))
        for name, value in scalars.items():
            self._events.write_event(Event(wall_time=time.time(), step=iteration, summary=scalar(name, value)))
        self._events.flush()

    def checkpoint(self, score, **scalars):
        """Log a validation and save; `score` is what `best.pt` minimises. Call it at the end of an iteration."""
        completed = self.iteration + 1
        better = self.best is None or score < self.best
        self.best = min(score, self.best) if self.best is not None else score
        if self.fabric.is_global_zero:
            text = "  ".join(f"{name} {value:.4f}" for name, value in scalars.items())
            tqdm.write(f"validation after {completed} iterations: {text}{'  (best so far)' if better else ''}")
            self._record({f"val/{name}": value for name, value in scalars.items()}, completed)
            append_jsonl(self.folder / "validation.jsonl", [{"iteration": completed, **scalars}])
        # the best first: if the disk fills in between, the iterations since last.pt are done again, and it with them
        self.save(completed, ("best.pt", "last.pt") if better else ("last.pt",))

    def save(self, completed=None, names=("last.pt",)):
        """Write checkpoints, each whole or not at all."""
        if not self.fabric.is_global_zero:
            return
        state = {"experiment": self.options.experiment, "iteration": self.iteration if completed is None else completed,
                 "best": self.best, "options": vars(self.options), "date": time.strftime("%Y-%m-%d"),
                 "model": self.model.checkpoint(), "optimizer": self.optimizer.state_dict()}
        for name in names:
            save_checkpoint(self.folder / name, state)

    def say(self, text):
        """Print a line once, whatever the number of processes."""
        if self.fabric.is_global_zero:
            tqdm.write(text)


class IterationBatches:
    """Batches by iteration number: shuffled epoch by epoch from (seed, epoch), shared out among the processes."""

    def __init__(self, size, options, start, stop, fabric):
        self.size, self.seed, self.start, self.stop = size, options.manual_seed, start, stop
        self.batch = min(options.batch_size, size)
        self.rank, self.world = fabric.global_rank, fabric.world_size
        if self.batch < self.world:
            raise UserError(f"--batch_size {self.batch}: is shared out among {self.world} processes; give at least one "
                            f"pair for each")

    def __len__(self):
        return max(self.stop - self.start, 0)

    def __iter__(self):
        per_epoch = self.size // self.batch
        epoch, order = None, []
        for iteration in range(self.start, self.stop):
            if iteration // per_epoch != epoch:
                epoch = iteration // per_epoch
                order = torch.randperm(self.size, generator=torch.Generator().manual_seed(
                    self.seed * 1_000_003 + epoch)).tolist()
            first = iteration % per_epoch * self.batch
            yield order[first:first + self.batch][self.rank::self.world]


@contextlib.contextmanager
def _deferred_interrupt():
    """Turn the first Ctrl-C inside the block into a set event, so that no iteration is left half done."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_):
        event.set()
        signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _devices(gpu_ids):
    """Turn --gpu_ids, or torchrun's environment, into Fabric's accelerator, devices and number of nodes."""
    if "LOCAL_WORLD_SIZE" in os.environ:
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        return "cpu" if gpu_ids == "-1" else "auto", devices, int(os.environ["WORLD_SIZE"]) // devices
    if gpu_ids is None:
        return "auto", 1, 1
    if gpu_ids.strip() == "-1":
        return "cpu", 1, 1
    try:
        ids = [int(number) for number in gpu_ids.split(",")]
    except ValueError:
        raise UserError(f"--gpu_ids {gpu_ids}: give numbers such as 0 or 0,1, or -1 for the CPU") from None
    if max(ids) >= torch.cuda.device_count() or min(ids) < 0:
        raise UserError(f"--gpu_ids {gpu_ids}: this machine has {torch.cuda.device_count()} GPU(s); leave the flag "
                        f"out to take what there is")
    return "cuda", ids, 1
