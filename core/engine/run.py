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
from core.engine.health import Watch, gradients
from core.files import UserError, append_jsonl, read_jsonl, write_json, write_jsonl
from core.threads import threads, threads_for

# Flags that may differ between the parts of one run, because they do not change what is computed.
FREE = {"num_iters", "print_every", "checkpoint_every", "visualize", "visualize_every", "num_workers", "gpu_ids",
        "restart", "output", "data_root", "language", "seeds"}


MAIN = "model"   # the network that is tested
SCHEDULES = {    # of the learning rate: its factor after a share of the iterations
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "linear": lambda done: min(1.0, 2 - 2 * done),          # from the middle on
    "halved": lambda done: 0.5 ** int(4 * done),            # at each quarter
}


def run_folder(options):
    """Return `output/<dataset>_<experiment>_trial_<n>`, with `_seed_<k>` behind it for the k-th further seed."""
    suffix = getattr(options, "suffix", "")   # set by core.engine.seeds
    return Path(options.output) / f"{options.dataset}_{options.experiment}_trial_{options.trial}{suffix}"


def test_folder(options):
    """Return the folder of a run's test: `test`, or `test_val` and `test_train` for the other phases.

    A test with swapped photos has a folder of its own, `test_val_swapped`.
    """
    name = "test" if options.phase == "test" else f"test_{options.phase}"
    return run_folder(options) / (name + "_swapped" * bool(getattr(options, "swap_photos", False)))


def revision():
    """Return the git revision of the code, with + when it was changed, or "unknown"."""
    try:
        found = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True,
                               cwd=Path(__file__).parent, timeout=10, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


class Run:
    """Plumbing of a train script: `setup` its networks, iterate over `batches`, `step` each loss, `checkpoint`.

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
        self.networks, self.optimizers, self._floors, self._watch = {}, {}, {}, None
        self._losses, self._sums, self._health, self._since = {}, {}, {}, []
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

    def setup(self, network, optimizer, *methods, name=MAIN, floor=None):
        """Move a network and its optimizer to the device(s), restoring them if the run resumes.

        Args:
            methods: names of the network's methods that compute as `forward` does.
            name: of the network, in losses, logs and checkpoints; the one that is tested keeps the default.
            floor: a mean loss below it, for long, is a collapse; None where no loss is too small.

        Returns: the network as it is to be called.
        """
        if self.saved:
            self._restore(name, network)
        inner = network
        if len(list(network.parameters())):
            network, optimizer = self.fabric.setup(network, optimizer)
        for method in methods:
            network.mark_forward_method(method)
        rates = [group["lr"] for group in optimizer.param_groups]
        if self.saved:
            optimizer.load_state_dict(self._saved(name)["optimizer"])
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["initial_lr"] = rate
        self.networks[name], self.optimizers[name], self._floors[name] = inner, optimizer, floor
        return network

    def _saved(self, name):
        """Return what the checkpoint holds of a network: `model`, its configuration and weights, and `optimizer`."""
        if name == MAIN:
            return self.saved
        try:
            return self.saved["others"][name]
        except KeyError:
            raise UserError(f"{self.folder / 'last.pt'}: was trained without the network {name}; give another --trial, "
                            f"or --restart to train anew") from None

    def _restore(self, name, network):
        """Load the saved weights into a network of the same configuration. Raises UserError."""
        path, saved = self.folder / "last.pt", self._saved(name)["model"]
        if saved["config"] != network.checkpoint()["config"]:
            raise UserError(f"{path}: was trained with another vocabulary or network; bring that back, or give another "
                            f"--trial, or --restart to train anew")
        try:
            network.load_state_dict(saved["weights"])
        except RuntimeError as error:
            raise UserError(f"{path}: does not fit this version's network or operator table; give another --trial, or "
                            f"--restart to train anew ({str(error).splitlines()[-1].strip()})") from None

    def _open(self):
        """Say how the run begins, write how it was started, and cut its logs to what the checkpoint knows."""
        self._watch = Watch(self._floors)
        logged = self.folder / "log.jsonl"
        known = [row for row in read_jsonl(logged) if row["iteration"] <= self.iteration] if (
            self.saved and logged.exists()) else []
        path = self.folder / "validation.jsonl"
        validations = [row for row in (read_jsonl(path) if self.saved and path.exists() else [])
                       if row["iteration"] <= self.iteration]
        for row in known:   # what it has seen before decides what it says after
            self._watch.see(row["iteration"], row.get("sums", {}))
        for row in validations:
            self._watch.see_validation(row["iteration"], row.get("seeing"))
        if self.saved:
            self.say(f"resuming {self.folder} after iteration {self.iteration}")
            if self.iteration >= self.options.num_iters:
                self.say(f"nothing to do: --num_iters {self.options.num_iters} are done; give more, or --restart")
        if not self.fabric.is_global_zero:
            return
        (self.folder / "health.json").unlink(missing_ok=True)   # of what is begun anew, or was not saved
        self._mark()
        write_json(self.folder / "options.json", vars(self.options) | {"revision": revision()}, indent=1)
        write_jsonl(logged, known)
        write_jsonl(self.folder / "validation.jsonl", validations)

    @contextlib.contextmanager
    def held(self, name):
        """Give a network that judges but does not learn inside the block; gradients pass through it."""
        network = self.networks[name]
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        for parameter in learning:
            parameter.requires_grad_(False)
        try:
            yield network
        finally:
            for parameter in learning:
                parameter.requires_grad_(True)

    def batches(self, dataset, since=0, until=None):
        """Yield a batch on the device for each iteration that remains of a part of the run, with a progress bar.

        The part begins after `since` iterations and ends after `until` (None: after the last); the learning rate
        follows its schedule once in each part. Samples are shuffled, unless the data set has `in_order`: its samples
        are drawn at random already.

        Ctrl-C finishes the iteration, saves and raises KeyboardInterrupt; a second one leaves at once.
        """
        from torch.utils.data import DataLoader
        if self._watch is None:
            self._open()
        total = self.options.num_iters if until is None else min(until, self.options.num_iters)
        order = IterationBatches(len(dataset), self.options, self.iteration, total, self.fabric,
                                 shuffle=not getattr(dataset, "in_order", False))
        if not len(order):
            return
        loader = DataLoader(dataset, batch_sampler=order, num_workers=self.options.num_workers,
                            persistent_workers=self.options.num_workers > 0)
        weights = sum(weight.numel() for network in self.networks.values() for weight in network.parameters())
        with (tqdm(total=total, initial=self.iteration, unit="it", disable=not self.fabric.is_global_zero) as bar,
              _deferred_interrupt() as interrupted,
              threads(torch.get_num_threads() - self.options.num_workers)):   # the workers need cores of their own
            for batch in loader:
                torch.manual_seed(self.options.manual_seed * 1_000_003 + self.iteration)
                factor = SCHEDULES[self.options.schedule]((self.iteration - since) / (total - since))
                for optimizer in self.optimizers.values():
                    for group in optimizer.param_groups:
                        group["lr"] = group["initial_lr"] * factor
                self._losses, self._sums, self._health = {}, {}, {}
                with threads_for(_numbers(batch) + weights):
                    yield self.fabric.to_device(batch)
                self.iteration += 1
                self._log(bar)
                if interrupted.is_set():
                    self.save()
                    raise KeyboardInterrupt
        if self._events:
            self._events.close()
            self._events = None

    def step(self, name=MAIN, /, **losses):
        """Descend along the sum of named losses of a network. Raises UserError naming a loss that is not finite."""
        prefix = "" if name == MAIN else f"{name} "
        for key, loss in losses.items():
            value = float(loss.detach())
            if not math.isfinite(value):
                raise UserError(f"loss '{prefix}{key}' became {value} in iteration {self.iteration + 1}; lower "
                                f"--learning_rate and run again: the last checkpoint is whole")
            self._losses[prefix + key] = value
        total = sum(losses.values())
        self._sums[name] = self._sums.get(name, 0.0) + float(total.detach())
        if total.requires_grad:   # an executed plan without a step has nothing to learn from
            self.optimizers[name].zero_grad(set_to_none=True)
            self.fabric.backward(total)
            if (self.iteration + 1) % self.options.print_every == 0:
                self._health[name] = gradients(self.networks[name])
            self.optimizers[name].step()

    def note(self, **values):
        """Log numbers of this iteration that nothing descends along."""
        self._losses |= {name: float(value) for name, value in values.items()}

    def due(self, every):
        """Whether the iteration under way is a multiple of `every`, or the last one."""
        return (self.iteration + 1) % every == 0 or self.iteration + 1 == self.options.num_iters

    def _log(self, bar):
        if not self.fabric.is_global_zero:
            return
        health = {"health": self._health} if self._health else {}
        append_jsonl(self.folder / "log.jsonl", [
            {"iteration": self.iteration, **self._losses, "sums": self._sums, **health}])
        self._since.append(self._losses)
        self._mark(self._watch.see(self.iteration, self._sums))
        if self.iteration % self.options.print_every == 0 or self.iteration == self.options.num_iters:
            known = {name: [row[name] for row in self._since if name in row] for row in self._since for name in row}
            means = {name: sum(values) / len(values) for name, values in known.items()}
            self._since = []
            text = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            tqdm.write(f"iter {self.iteration}/{self.options.num_iters}  {text}")
            self._record(means | {f"health/{name} {key}": value for name, values in self._health.items()
                                  for key, value in values.items()}, self.iteration)
            bar.set_postfix_str(text)
        bar.update()

    def _mark(self, news=None):
        """Mark a run that has collapsed, for the pages, and print the `news` of it, a sentence or None."""
        if news:
            tqdm.write(news)
        if self._watch.verdict:
            write_json(self.folder / "health.json", {"collapsed": self._watch.verdict})

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
        """Log a validation and save; `score` is what `best.pt` minimises. Call it at the end of an iteration.

        A scalar called `seeing` is the share of the visual encoder's units that vary over photos; see `Watch`.
        """
        completed = self.iteration + 1
        better = self.best is None or score < self.best
        self.best = min(score, self.best) if self.best is not None else score
        if self.fabric.is_global_zero:
            text = "  ".join(f"{name} {value:.4f}" for name, value in scalars.items())
            tqdm.write(f"validation after {completed} iterations: {text}{'  (best so far)' if better else ''}")
            self._record({f"val/{name}": value for name, value in scalars.items()}, completed)
            append_jsonl(self.folder / "validation.jsonl", [{"iteration": completed, **scalars}])
            self._mark(self._watch.see_validation(completed, scalars.get("seeing")))
        # the best first: if the disk fills in between, the iterations since last.pt are done again, and it with them
        self.save(completed, ("best.pt", "last.pt") if better else ("last.pt",))

    def save(self, completed=None, names=("last.pt",)):
        """Write checkpoints, each whole or not at all."""
        if not self.fabric.is_global_zero:
            return
        state = {"experiment": self.options.experiment, "iteration": self.iteration if completed is None else completed,
                 "best": self.best, "options": vars(self.options), "date": time.strftime("%Y-%m-%d"),
                 **self._state(MAIN), "others": {name: self._state(name) for name in self.networks if name != MAIN}}
        for name in names:
            save_checkpoint(self.folder / name, state)

    def _state(self, name):
        return {"model": self.networks[name].checkpoint(), "optimizer": self.optimizers[name].state_dict()}

    def say(self, text):
        """Print a line once, whatever the number of processes."""
        if self.fabric.is_global_zero:
            tqdm.write(text)


class IterationBatches:
    """Batches by iteration number, shared out among the processes: each epoch is shuffled by (seed, epoch), or not."""

    def __init__(self, size, options, start, stop, fabric, shuffle=True):
        self.size, self.seed, self.start, self.stop, self.shuffle = size, options.manual_seed, start, stop, shuffle
        self.batch = min(options.batch_size, size)
        self.rank, self.world = fabric.global_rank, fabric.world_size
        if self.batch < self.world:
            raise UserError(f"--batch_size {self.batch}: is shared out among {self.world} processes; give at least one "
                            f"pair for each")

    def __len__(self):
        return max(self.stop - self.start, 0)

    def __iter__(self):
        per_epoch = self.size // self.batch
        epoch, order = None, range(self.size)
        for iteration in range(self.start, self.stop):
            if self.shuffle and iteration // per_epoch != epoch:
                epoch = iteration // per_epoch
                order = torch.randperm(self.size, generator=torch.Generator().manual_seed(
                    self.seed * 1_000_003 + epoch)).tolist()
            first = iteration % per_epoch * self.batch
            yield list(order[first:first + self.batch][self.rank::self.world])


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


def _numbers(batch):
    """Return how many numbers a batch holds: a tensor, or dicts and lists of tensors."""
    if isinstance(batch, torch.Tensor):
        return batch.numel()
    parts = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, (list, tuple)) else ()
    return sum(map(_numbers, parts))
