"""Comparison of two tested runs: mean differences over their pairs, and intervals that tell whether they are real."""
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.evaluation.evaluate import photo_of
from core.files import UserError, listing, read_json, read_jsonl
from core.metrics.bootstrap import mean_interval

HIGHER_IS_BETTER = ("SSIM", "PSNR")
TOLERANCE = 1e-4   # rounding changes a pair's input L1 by at most this much between runs; another size changes it more


@dataclass
class Tested:
    """The files of a test: folder, name, rows of `images.jsonl` by (pair, request, occurrence), and metrics."""

    folder: Path
    name: str
    rows: dict
    metrics: dict


def load_tested(path):
    """Open a test; `path` is its folder, or the folder of a run that holds one test. Raises UserError."""
    path = Path(path)
    folders = [path] if (path / "images.jsonl").is_file() else sorted(
        file.parent for file in path.glob("test*/images.jsonl"))
    if len(folders) != 1:
        found = "has several tests: give one of " + ", ".join(map(str, folders)) if folders else (
            "holds no images.jsonl, and no test with this file; give the folder of a run that was tested")
        raise UserError(f"{path}: {found}")
    folder, seen, rows = folders[0], Counter(), {}
    for number, row in enumerate(read_jsonl(folder / "images.jsonl"), start=1):
        if not isinstance(row, dict) or not {"name", "request"} <= row.keys():
            raise UserError(f"{folder / 'images.jsonl'}, line {number}: field 'name' or 'request' is missing; "
                            f"test that run again")
        key = row["name"], row["request"]
        rows[*key, seen[key]] = row
        seen[key] += 1
    measured = read_json(folder / "metrics.json")
    return Tested(folder, str(measured.get("run", folder)), rows, measured.get("metrics", {}))


def comparable(a, b):
    """Return the keys of the pairs that both runs were tested on under the same protocol, and notes on the others.

    Raises UserError, with the reason, if the runs share no such pair.
    """
    shared = [key for key in a.rows if key in b.rows]
    other = [key for key in shared if not _same_protocol(a.rows[key], b.rows[key])]
    notes = []
    for run, mine, theirs in ((a, a.rows, b.rows), (b, b.rows, a.rows)):
        alone = [key[0] for key in mine if key not in theirs]
        if alone:
            notes.append(f"{len(alone)} of {len(mine)} pairs were tested in {run.folder} only: {listing(alone)}")
    if other:
        notes.append(f"{len(other)} pairs were tested at another size or against another target: "
                     f"{listing([key[0] for key in other])}")
    kept = sorted(set(shared) - set(other))
    if not kept:
        raise UserError(f"{a.folder} and {b.folder} cannot be compared ({'; '.join(notes) or 'no pairs'}); test "
                        f"both on the same --dataset and --phase with the same --short_edge")
    return kept, notes


def compare(a, b, keys):
    """Return one dict per metric: its means in both runs, the mean difference b - a, its interval, and the verdict.

    Args: `keys`, the pairs to compare on. The verdict `better` is "A" or "B"; "differs" for the variance, where neither
    direction is better; "no" where the interval contains 0; None where the interval is undefined.
    """
    photos = [photo_of(a.rows[key]) for key in keys]
    compared = []
    for name in dict.fromkeys(name for key in keys for name in a.rows[key]):
        if not (name == "variance" or name.startswith("output ")):
            continue
        values = [(a.rows[key].get(name), b.rows[key].get(name), photo)
                  for key, photo in zip(keys, photos, strict=True)]
        known = [value for value in values if isinstance(value[0], float) and isinstance(value[1], float)]
        if not known:
            continue
        ones, twos, of = zip(*known, strict=True)
        differences = [two - one for one, two in zip(ones, twos, strict=True)]
        interval = mean_interval(differences, of)
        compared.append({"metric": name, "pairs": len(known), "photos": len(set(of)), "A": _mean(ones),
                         "B": _mean(twos), "difference": _mean(differences), "interval": interval,
                         "better": _verdict(name, interval)})
    return compared


def sentence(row):
    """Return a row of `compare` as one plain sentence."""
    said = {"A": "A is better, and the difference is real", "B": "B is better, and the difference is real",
            "differs": "the difference is real", "no": "no real difference: the interval contains 0",
            None: "one photo is too few to tell whether the difference is real"}[row["better"]]
    bounds = "undefined" if row["interval"] is None else "[{:+.4f}, {:+.4f}]".format(*row["interval"])
    return f"{row['metric']}: A {row['A']:.4f}, B {row['B']:.4f}, B - A {row['difference']:+.4f}, 95% {bounds}: {said}"


def _verdict(name, interval):
    if interval is None:
        return None
    low, high = interval
    if low <= 0 <= high:
        return "no"
    if name == "variance":
        return "differs"
    return "B" if (low > 0) == any(metric in name for metric in HIGHER_IS_BETTER) else "A"


def _same_protocol(one, two):
    """Whether two rows of a pair have the same picture size and the same distance between input and target."""
    if one.get("size") != two.get("size") and "size" in one and "size" in two:
        return False
    return all(math.isclose(one[name], two[name], abs_tol=TOLERANCE) for name in ("input L1", "input SSIM")
               if name in one and name in two)


def _mean(values):
    return sum(values) / len(values)
