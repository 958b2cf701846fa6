"""Tests under several seeds, and the table of all runs.

The table has one line per test of each run folder under `output/`, also of incomplete or damaged runs.
"""
from pathlib import Path

from core.engine.folders import tested_folder
from core.engine.seeds import over_seeds
from core.engine.trials import Trial, get_trial, trials_path
from core.files import UserError, read_json, read_jsonl
from core.pages import write_index

COSTS = {"seconds_a_photo": ("s a photo", 1), "parameters": ("million parameters", 1e-6)}   # of metrics.json
SUITES = {"direction": "obeys: direction", "opposites": "obeys: opposites", "two_wishes": "obeys: two wishes"}
FIELDS = ("run", "experiment", "trial", "dataset", "phase", "date", "revision")


def run_under_seeds(options, measure, *said):
    """Run a test script: test the trial of `options` under each seed, and index the runs.

    Args: `measure`, a callable options -> {"metrics": {name: number or None}, ...}; `said`, sentences to print.
    """
    over_seeds(options, lambda chosen: measure(chosen)["metrics"], tested_folder)
    path, notes = index_runs(options.output)
    print(*said, *notes, f"all runs: {path}", sep="\n")


def index_runs(output):
    """Write `output/index.html`, the table of all runs.

    A run has one line per test; a run without a test has one line. Runs that are half written, damaged or of an older
    version are listed with the values that can be read.

    Returns: (the path of the page, sentences that count and name the unreadable files).
    """
    output, problems = Path(output), []
    rows = [row for folder in sorted(path for path in output.glob("*/") if _is_run(path))
            for row in _Folder(folder, problems).rows()]
    write_index(output, [_relative(row, output) for row in rows])
    sentences = []
    if problems:
        sentences = [f"{len(problems)} file(s) of runs could not be read; the runs are listed with the known values:",
                     *(f"  {problem}" for problem in problems)]
    return output / "index.html", sentences


def known_trial(experiment, number, dataset, problems):
    """Return the Trial of a run, with the notebook's figures, or an empty Trial for a run without a numbered trial.

    The Trial is also empty if the file of the trials is malformed; then the error is added to `problems`, once.
    """
    try:
        if isinstance(number, int) and trials_path(experiment, dataset).exists():   # references have no trials
            return get_trial(experiment, number, dataset)
    except UserError as error:
        if str(error) not in problems:
            problems.append(str(error))
    return Trial(number)


def _is_run(folder):
    return (folder / "options.json").is_file() or any(
        path.is_dir() for pattern in ("test*", "obedience") for path in folder.glob(pattern))


def _relative(row, output):
    """Return a row with its pages relative to the output folder, None where they do not exist."""
    pages = {name: row[name] for name in ("page", "obedience")}
    return row | {name: page.relative_to(output).as_posix() if page.is_file() else None
                  for name, page in pages.items()}


class _Folder:
    """One run folder; each file that cannot be read adds a sentence to `problems`."""

    def __init__(self, path, problems):
        self.path, self.problems = path, problems
        self.options = self._dict(path / "options.json")
        self.curve = self._curve()

    def rows(self):
        """Return the lines of the run."""
        tests = sorted(path for path in self.path.glob("test*") if path.is_dir())
        return [self._test(test) for test in tests] or [self._row({}, self.path / "train" / "web" / "index.html")]

    def _test(self, test):
        metrics = test / "metrics.json"
        if not metrics.is_file():
            self.problems.append(f"{metrics}: is missing, because the test did not end; test that run again")
        return self._row(self._dict(metrics), test / "web" / "index.html") | {"seeds": self._seeds(test)}

    def _row(self, measured, page):
        """Return the line of a test, or of a run without a test."""
        known = {"run": self.path.name} | {name: self.options[name] for name in FIELDS if name in self.options}
        row = known | {name: measured[name] for name in FIELDS if measured.get(name) is not None}
        metrics, intervals = (_numbers(measured.get(name), check) for name, check in
                              (("metrics", _is_number), ("intervals", _is_interval)))
        if measured and not metrics:
            self.problems.append(f"{page.parents[1]}: metrics.json has no metrics; test that run again")
        costs = _numbers(measured, lambda value: value is not None and _is_number(value))
        metrics |= {label: costs[name] * unit for name, (label, unit) in COSTS.items() if name in costs}
        shares, of_shares = self._obedience()
        metrics, intervals = metrics | shares, intervals | of_shares
        tested = f"{measured['images']} pairs" if "images" in measured else None
        photos = f" of {measured['photos']} photos" if tested and "photos" in measured else ""
        collapsed = self._dict(self.path / "health.json").get("collapsed")
        trial = known_trial(*map(row.get, ("experiment", "trial", "dataset")), self.problems)
        return row | {"collapsed": collapsed, "metrics": metrics, "intervals": intervals, "curve": self.curve,
                      "page": page,
                      "obedience": self.path / "obedience" / "web" / "index.html", "data": tested and tested + photos,
                      "notebook": trial.notebook}

    def _seeds(self, test):
        """Return {name: [mean, spread]} of a test under several seeds, from `seeds.json`."""
        saved = self._dict(test / "seeds.json")
        mean, spread = (_numbers(saved.get(name), _is_number) for name in ("mean", "spread"))
        return {name: [mean[name], spread[name]] for name in mean.keys() & spread.keys()}

    def _obedience(self):
        """Return {column: share right} of some suites of the run's test of obedience, and their intervals."""
        suites = self._dict(self.path / "obedience" / "metrics.json").get("suites")
        whole = {row["suite"]: row for row in suites if isinstance(row, dict) and row.get("suite") in SUITES
                 and row.get("asked_for") is None} if isinstance(suites, list) else {}
        shares, intervals = ({SUITES[suite]: row.get(key) for suite, row in whole.items()}
                             for key in ("share", "interval"))
        return _numbers(shares, _is_number), _numbers(intervals, _is_interval)

    def _dict(self, path):
        """Return the object of a JSON file; {} where there is no file, or no object in it."""
        try:
            value = read_json(path) if path.is_file() else {}
            if not isinstance(value, dict):
                raise UserError(f"{path}: does not hold a JSON object; write it again, or delete it")
        except UserError as error:
            self.problems.append(str(error))
            return {}
        return value

    def _curve(self):
        """Return [[iteration, output L1], ...] of the run's validations."""
        path = self.path / "validation.jsonl"
        try:
            rows = read_jsonl(path) if path.is_file() else []
            return [[row["iteration"], row["output_L1"]] for row in rows if "output_L1" in row]
        except UserError as error:
            self.problems.append(str(error))
        except (TypeError, KeyError):
            self.problems.append(f"{path}: has lines without an iteration; train that run again")
        return []


def _numbers(value, check):
    """Return the entries of {name: value} that pass `check`; older versions may have written anything."""
    return {name: part for name, part in value.items() if check(part)} if isinstance(value, dict) else {}


def _is_number(value):
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_interval(value):
    return isinstance(value, list) and len(value) == 2 and all(isinstance(bound, (int, float)) for bound in value)
