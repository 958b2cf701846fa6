"""Repeat a trial with several seeds, and report the mean and the spread of its figures."""
import copy
import statistics

from core.files import write_json


def over_seeds(options, work, folder_of):
    """Call `work(options)` for `options.seeds` seeds, each in its own run folder, and report mean and spread.

    The first seed uses the run's own folder; the k-th further seed uses `..._seed_<k>`, and `manual_seed` + k.

    Args:
        options: the flags, with `seeds`.
        work: a callable options -> {name: number or None}; it trains or tests one run.
        folder_of: a callable options -> the folder where `seeds.json` is written, if there are several seeds.

    `seeds.json` holds `runs` (the figures under each seed), their `mean`, and their `spread`, the standard deviation
    (with n - 1) over seeds.
    """
    rows = []
    for number in range(options.seeds):
        chosen = copy.copy(options)
        if number:
            chosen.suffix = f"_seed_{number}"
            chosen.manual_seed = options.manual_seed + number
        rows.append(work(chosen))
    if options.seeds == 1:
        return
    names = [name for name in rows[0] if all(isinstance(row.get(name), (int, float)) for row in rows)]
    mean = {name: statistics.fmean(row[name] for row in rows) for name in names}
    spread = {name: statistics.stdev(row[name] for row in rows) for name in names}
    about = {name: options[name] for name in ("experiment", "trial", "dataset", "phase") if name in options}
    path = folder_of(options) / "seeds.json"
    write_json(path, about | {"runs": rows, "mean": mean, "spread": spread}, indent=1)
    print(f"mean and standard deviation over {options.seeds} seeds ({path}):")
    for name in names:
        print(f"  {name}: {mean[name]:.4f} ± {spread[name]:.4f}")
