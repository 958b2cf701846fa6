"""A training run: networks, optimizer steps, checkpoints and resuming; it contains no loss formula."""
import contextlib
import math
import os
import time

import torch
from tqdm import tqdm

from core.engine.batches import SCHEDULES, IterationBatches, deferred_interrupt, numbers_in
from core.engine.checkpoints import load_checkpoint, require, restore_optimizer, save_checkpoint
from core.engine.folders import run_folder
from core.engine.health import gradients
from core.engine.log import RunLog
from core.files import FOREIGN, UserError, last_line
from core.threads import threads, threads_for

# Flags that may differ between the parts of one run, because they do not change what is computed.
FREE = {"num_iters", "print_every", "checkpoint_every", "visualize", "visualize_every", "num_workers", "gpu_ids",
        "restart", "output", "data_root", "language", "seeds"}


MAIN = "model"   # name of the network that is tested
class Run:
    """The mechanics of a training script: `setup` networks, iterate over `batches`, `step` losses, `checkpoint`.

    Iteration k depends only on the seed, k and the weights, because all random generators are seeded anew at the start
    of an iteration. So, on a CPU, a resumed run gives the same losses as an uninterrupted run.
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
        self.log = RunLog(self.folder, options, writes=self.fabric.is_global_zero)
        self.networks, self.optimizers, self._floors = {}, {}, {}
        self._losses, self._sums, self._health = {}, {}, {}
        self._find_saved()
        torch.manual_seed(options.manual_seed)

    def _find_saved(self):
        """Read the run folder's last.pt, if there is one. Raises UserError if the run was trained with other flags."""
        path = self.folder / "last.pt"
        if path.exists() and not self.options.restart:
            self.saved = load_checkpoint(path, self.options.experiment)
            require(self.saved, path, "options", "iteration", "best")
            made = self.saved["options"]   # not options.json: a later, failed start may have written it
            for name, value in self.options.items():
                if name not in FREE and made.get(name, value) != value:
                    raise UserError(f"{self.folder}: was trained with --{name} {made[name]}, not {value}; repeat that "
                                    f"flag, or give another --trial, or --restart to train anew")
            self.iteration, self.best = self.saved["iteration"], self.saved["best"]

    def setup(self, network, optimizer, *methods, name=MAIN, floor=None):
        """Move a network and its optimizer to the device(s), restoring them if the run resumes.

        Args:
            methods: names of the network's methods that Fabric treats like `forward`.
            name: name of the network in losses, logs and checkpoints; the tested network keeps the default.
            floor: a mean loss below this value is a collapse; None if no loss is too small.

        Returns: the network wrapped by Fabric, which the script must call.
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
            require(self._saved(name), self.folder / "last.pt", "optimizer")
            restore_optimizer(optimizer, self._saved(name)["optimizer"], self.folder / "last.pt")
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["initial_lr"] = rate
        self.networks[name], self.optimizers[name], self._floors[name] = inner, optimizer, floor
        return network

    def keep(self, network, name):
        """Save a network without an optimizer, such as averaged weights, with the run; restore it if the run resumes.

        Returns: the network, on the run's device.
        """
        if self.saved:
            self._restore(name, network)
        self.networks[name] = network.to(self.device)
        return network

    def _saved(self, name):
        """Return a network's part of the checkpoint: `model` (configuration and weights) and `optimizer`."""
        if name == MAIN:
            return self.saved
        others = self.saved.get("others", {})
        if name not in others:
            raise UserError(f"{self.folder / 'last.pt'}: was trained without the network {name}; give another --trial, "
                            f"or --restart to train anew")
        return others[name]

    def _restore(self, name, network):
        """Load the saved weights into a network. Raises UserError if its configuration differs from the saved one."""
        path, saved = self.folder / "last.pt", self._saved(name)["model"]
        require(saved, path, "config", "weights")
        if saved["config"] != network.checkpoint()["config"]:
            raise UserError(f"{path}: was trained with another vocabulary or network; restore these, or give another "
                            f"--trial, or --restart to train anew")
        try:
            network.load_state_dict(dict(saved["weights"]))
        except FOREIGN as error:
            raise UserError(f"{path}: does not fit this version's network or operator table; give another --trial, or "
                            f"--restart to train anew ({last_line(error)})") from error

    def _open(self):
        """Open the log, and print whether the run resumes or is already done."""
        self.log.open(self._floors, self.iteration, resumes=bool(self.saved))
        if self.saved:
            self.say(f"resuming {self.folder} after iteration {self.iteration}")
            if self.iteration >= self.options.num_iters:
                self.say(f"nothing to do: --num_iters {self.options.num_iters} is reached; raise it, or give --restart")

    @contextlib.contextmanager
    def held(self, name):
        """Freeze a network inside the block; gradients still flow through it."""
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
        """Yield a batch on the device for each remaining iteration of a part of the run, and show a progress bar.

        The part begins after `since` iterations and ends after `until` (None: after the last); the learning rate
        follows its schedule once in each part. Samples are shuffled, unless the data set sets `in_order`, which
        says that its samples are random already. A data set with a method `collate` joins its samples itself.

        The first Ctrl-C finishes the iteration, saves and raises KeyboardInterrupt; a second Ctrl-C stops at once.
        """
        from torch.utils.data import DataLoader
        if self.log.watch is None:
            self._open()
        total = self.options.num_iters if until is None else min(until, self.options.num_iters)
        order = IterationBatches(len(dataset), self.options, self.iteration, total, self.fabric,
                                 shuffle=not getattr(dataset, "in_order", False))
        if not len(order):
            return
        loader = DataLoader(dataset, batch_sampler=order, num_workers=self.options.num_workers,
                            collate_fn=getattr(dataset, "collate", None),
                            persistent_workers=self.options.num_workers > 0)
        weights = sum(weight.numel() for network in self.networks.values() for weight in network.parameters())
        with (tqdm(total=total, initial=self.iteration, unit="it", disable=not self.fabric.is_global_zero) as bar,
              deferred_interrupt() as interrupted,
              threads(torch.get_num_threads() - self.options.num_workers)):   # the workers need their own cores
            for batch in loader:
                torch.manual_seed(self.options.manual_seed * 1_000_003 + self.iteration)
                factor = SCHEDULES[self.options.schedule]((self.iteration - since) / (total - since))
                for optimizer in self.optimizers.values():
                    for group in optimizer.param_groups:
                        group["lr"] = group["initial_lr"] * factor
                self._losses, self._sums, self._health = {}, {}, {}
                with threads_for(numbers_in(batch) + weights):
                    yield self.fabric.to_device(batch)
                self.iteration += 1
                self.log.iteration(self.iteration, self._losses, self._sums, self._health, bar)
                if interrupted.is_set():
                    self.save()
                    raise KeyboardInterrupt
        self.log.close()

    def step(self, name=MAIN, /, **losses):
        """Take an optimizer step on the sum of a network's named losses. Raises UserError naming a non-finite loss."""
        prefix = "" if name == MAIN else f"{name} "
        for key, loss in losses.items():
            value = float(loss.detach())
            if not math.isfinite(value):
                raise UserError(f"loss '{prefix}{key}' became {value} in iteration {self.iteration + 1}; lower "
                                f"--learning_rate and run again: the last checkpoint is intact")
            self._losses[prefix + key] = value
        total = sum(losses.values())
        self._sums[name] = self._sums.get(name, 0.0) + float(total.detach())
        if total.requires_grad:   # the loss of an empty plan has no gradient
            self.optimizers[name].zero_grad(set_to_none=True)
            self.fabric.backward(total)
            if (self.iteration + 1) % self.options.print_every == 0:
                self._health[name] = gradients(self.networks[name])
            self.optimizers[name].step()

    def note(self, **values):
        """Log numbers of this iteration that are not losses to minimise."""
        self._losses |= {name: float(value) for name, value in values.items()}

    def due(self, every):
        """Return whether the current iteration is a multiple of `every`, or the last iteration."""
        return (self.iteration + 1) % every == 0 or self.iteration + 1 == self.options.num_iters

    def checkpoint(self, score, **scalars):
        """Log a validation and save; best.pt has the lowest `score`. Call this method at the end of an iteration.

        A scalar called `seeing` is the share of the visual encoder's units that vary over photos; see `Watch`.
        """
        completed = self.iteration + 1
        better = self.best is None or score < self.best
        self.best = min(score, self.best) if self.best is not None else score
        self.log.validation(completed, better, scalars)
        # best.pt comes first: if the disk fills before last.pt is written, a resumed run repeats this validation
        self.save(completed, ("best.pt", "last.pt") if better else ("last.pt",))

    def save(self, completed=None, names=("last.pt",)):
        """Write the checkpoints `names`, each whole or not at all."""
        if not self.fabric.is_global_zero:
            return
        state = {"experiment": self.options.experiment, "iteration": self.iteration if completed is None else completed,
                 "best": self.best, "options": dict(self.options), "date": time.strftime("%Y-%m-%d"),
                 **self._state(MAIN), "others": {name: self._state(name) for name in self.networks if name != MAIN}}
        for name in names:
            save_checkpoint(self.folder / name, state)

    def _state(self, name):
        state = {"model": self.networks[name].checkpoint()}
        return state | {"optimizer": self.optimizers[name].state_dict()} if name in self.optimizers else state

    def say(self, text):
        """Print a line in the first process only."""
        self.log.say(text)


def _devices(gpu_ids):
    """Convert --gpu_ids, or torchrun's environment, to Fabric's accelerator, devices and number of nodes."""
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
                        f"out to use a GPU if there is one")
    return "cuda", ids, 1
