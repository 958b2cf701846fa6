"""The log of a run: log.jsonl, validation.jsonl, TensorBoard events, lines on the console, and health.json."""
import time

from tqdm import tqdm

from core.engine.folders import revision
from core.engine.health import Watch
from core.files import UserError, append_jsonl, naming_file, read_jsonl, write_json, write_jsonl


class RunLog:
    """Writes the logs of a run into its folder; `writes` is False for all processes but the first."""

    def __init__(self, folder, options, writes=True):
        self.folder, self.options, self.writes = folder, options, writes
        self.watch, self._since, self._events = None, [], None

    def open(self, floors, iteration, resumes):
        """Start logging after `iteration` iterations; the logs of a resumed run are cut to these iterations.

        Args: `floors`, the smallest mean losses of healthy networks, see `Watch`.
        """
        self.watch = Watch(floors)
        rows, validations = ([row for row in self._read(name) if resumes and row["iteration"] <= iteration]
                             for name in ("log.jsonl", "validation.jsonl"))
        for row in rows:   # the watch also needs the iterations before an interruption
            self.watch.see(row["iteration"], row.get("sums", {}))
        for row in validations:
            self.watch.see_validation(row["iteration"], row.get("seeing"))
        if not self.writes:
            return
        (self.folder / "health.json").unlink(missing_ok=True)   # left by a restarted run, or by unsaved iterations
        self._mark()
        write_json(self.folder / "options.json", dict(self.options) | {"revision": revision()}, indent=1)
        write_jsonl(self.folder / "log.jsonl", rows)
        write_jsonl(self.folder / "validation.jsonl", validations)

    def _read(self, name):
        """Return the rows of a log of this run. Raises UserError if a row was damaged, such as by editing."""
        path = self.folder / name
        rows = read_jsonl(path) if path.exists() else []
        for number, row in enumerate(rows, start=1):
            whole = isinstance(row, dict) and isinstance(row.get("sums", {}), dict)
            values = [row.get("iteration"), *row.get("sums", {}).values(), row.get("seeing") or 0] if whole else [None]
            if any(type(value) not in (int, float) for value in values):
                raise UserError(f"{path}, line {number}: field 'iteration', 'sums' or 'seeing' is missing or has a "
                                f"wrong type; delete that line")
        return rows

    def iteration(self, number, losses, sums, health, bar):
        """Log an iteration: its named losses, their sums by network, gradients by network; advance the progress bar."""
        if not self.writes:
            return
        append_jsonl(self.folder / "log.jsonl", [
            {"iteration": number, **losses, "sums": sums, **({"health": health} if health else {})}])
        self._since.append(losses)
        self._mark(self.watch.see(number, sums))
        if number % self.options.print_every == 0 or number == self.options.num_iters:
            known = {name: [row[name] for row in self._since if name in row] for row in self._since for name in row}
            means = {name: sum(values) / len(values) for name, values in known.items()}
            self._since = []
            text = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            tqdm.write(f"iter {number}/{self.options.num_iters}  {text}")
            self._record(means | {f"health/{name} {key}": value for name, values in health.items()
                                  for key, value in values.items()}, number)
            bar.set_postfix_str(text)
        bar.update()

    def validation(self, completed, better, scalars):
        """Log a validation after `completed` iterations; `better` says whether it is the best so far."""
        if not self.writes:
            return
        text = "  ".join(f"{name} {value:.4f}" for name, value in scalars.items())
        tqdm.write(f"validation after {completed} iterations: {text}{'  (best so far)' if better else ''}")
        self._record({f"val/{name}": value for name, value in scalars.items()}, completed)
        append_jsonl(self.folder / "validation.jsonl", [{"iteration": completed, **scalars}])
        self._mark(self.watch.see_validation(completed, scalars.get("seeing")))

    def say(self, text):
        """Print a line in the first process only."""
        if self.writes:
            tqdm.write(text)

    def close(self):
        """Close the TensorBoard events; later events open a new file."""
        if self._events:
            self._events.close()
            self._events = None

    def _mark(self, news=None):
        """Print `news`, a sentence or None; write health.json, which the pages read, if the run has collapsed."""
        if news:
            tqdm.write(news)
        if self.watch.verdict:
            write_json(self.folder / "health.json", {"collapsed": self.watch.verdict})

    def _record(self, scalars, iteration):
        """Write scalars to the TensorBoard events at once; a writer thread would fail unnoticed on a full disk."""
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar
        with naming_file(self.folder / "events"):
            if self._events is None:
                self._events = EventsWriter(str(self.folder / "events"))
            for name, value in scalars.items():
                self._events.write_event(Event(wall_time=time.time(), step=iteration, summary=scalar(name, value)))
            self._events.flush()
