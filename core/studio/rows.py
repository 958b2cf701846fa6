"""Many edits in one process: a jobs file lists photos, requests and results; each row gets one line of results."""
import csv
import errno
import io
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

from tqdm import tqdm

from core.files import UserError, append_jsonl, identity, listing, read_jsonl, read_text, write_jsonl
from core.methods.gate import Refusal, as_rows, understand
from core.methods.local import LocalGate
from core.operators import Plan
from core.studio.jobs import edit_photo, for_request, is_done

FIELDS = ("img", "request", "out")
MOST_BYTES = 1 << 28   # of a jobs file


@dataclass(frozen=True)
class Row:
    """A row of a jobs file, unchanged; relative paths are relative to the folder of the jobs file."""

    img: str
    request: str
    out: str


def read_rows(path, kind=Row):
    """Return the rows of a jobs file: JSON Lines if its name ends in .jsonl, otherwise CSV with a header.

    `kind` is a dataclass of texts with the fields img and out, as Row; other fields of the file are ignored. Raises
    UserError naming the file and the line.
    """
    text, names = read_text(path, most=MOST_BYTES), [field.name for field in fields(kind)]
    rows = []
    for line, entry in _entries(path, text, names):
        wrong = [name for name in names if not _is_text(entry.get(name))]
        wrong += [name for name in ("img", "out") if name not in wrong
                  and (not entry[name].strip() or "\0" in entry[name])]
        if wrong:
            raise UserError(f"{path}, line {line}: field {wrong[0]!r} is missing, empty or not text; each row needs "
                            f"{', '.join(names)}")
        rows.append(kind(*(entry[name] for name in names)))
    if not rows:
        raise UserError(f"{path}: has no rows; each row needs {', '.join(names)}")
    return rows


def _entries(path, text, names):
    """Yield (number of the line, dict) of each row."""
    if path.suffix.lower() == ".jsonl":
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                if not isinstance(entry, dict):
                    raise UserError(f"{path}, line {number}: is no JSON object with {', '.join(names)}")
                yield number, entry
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in names if name not in (reader.fieldnames or ())]
        if missing:
            raise UserError(f"{path}, line 1: the header lacks {', '.join(missing)}; the first line of a CSV names "
                            f"the columns {','.join(names)}")
        for entry in reader:
            yield reader.line_num, entry
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num + 1}: malformed CSV ({error})") from None


def _is_text(value):
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def edit_rows(path, gate: LocalGate, options) -> None:
    """Edit each row of a jobs file; write a line for each to FILE.results.jsonl, in the order of the rows.

    An interrupted run resumes: a row keeps its line if its number, img, request and out are the same, unless the row
    failed or its result is gone. Raises UserError at the end if a row failed.
    """
    path = Path(path)
    rows, results = read_rows(path), Path(f"{path}.results.jsonl")
    kept = {} if options.overwrite else _kept(rows, results, path.parent)
    begun = next((number for number in range(len(rows)) if number not in kept), len(rows))
    write_jsonl(results, [kept[number] for number in range(begun)])
    inputs = {identity(path.parent / row.img) for row in rows}
    named = {}   # the row of each result
    failures, counts = [], dict.fromkeys(("edited", "refused", "failed"), 0)
    for number, row in enumerate(tqdm(rows, unit="row")):
        out = path.parent / row.out
        first = named.setdefault(os.path.realpath(out), number)   # the same before and after the result is written
        line = kept.get(number)
        if line is None:
            taken = ("would replace a photo of the jobs file" if identity(out) in inputs else
                     f"is also the result of row {first + 1}" if first != number else None)
            line = _line(row, path.parent, gate, options, taken)
        if number >= begun:
            append_jsonl(results, [line])
        counts[line["status"]] += 1
        failures += [f"row {number + 1}: {line['sentence']}"] * (line["status"] == "failed")
    print(f"{', '.join(f'{count} {status}' for status, count in counts.items())}; results: {results}")
    if kept:
        print(f"{len(kept)} row(s) were done before; --overwrite does them again")
    if failures:
        raise UserError(f"{len(failures)} row(s) failed: {listing(failures)}")


def _kept(rows, results, folder):
    """Return {number of a row: its line} for the rows that an earlier run has done."""
    if not results.exists():
        return {}
    kept = {}
    pairs = zip(rows, read_jsonl(results), strict=False)   # the run was interrupted, or the jobs file was changed
    for number, (row, line) in enumerate(pairs):
        same = isinstance(line, dict) and all(line.get(field) == getattr(row, field) for field in FIELDS)
        there = same and (line.get("status") == "refused"
                          or (line.get("status") == "edited" and (folder / row.out).is_file()))
        if there:
            kept[number] = line
    return kept


def _line(row, folder, gate, options, taken=None):
    """Edit a row; return its line. `taken` says why the result cannot have its name, or is None."""
    answer, source, out = None, folder / row.img, folder / row.out
    line = {"img": row.img, "request": row.request, "out": row.out, "status": "edited", "sentence": "", "wishes": [],
            "not_understood": [], "plan": None}

    def planner(photo):
        nonlocal answer
        answer = gate(photo.srgb_tensor(), row.request, reading)
        return answer.plan, answer.notes
    try:
        if taken:
            raise UserError(f"{row.out}: {taken}; give another out in this row")
        reading = understand(row.request, local=True)   # before the photo is read
        line["not_understood"] = list(reading.not_understood)
        plan_path = out.with_name(f"{out.name}.plan.json")
        if not options.overwrite and is_done(source, out, plan_path, planner, options):   # interrupted before its line
            plan, notes = Plan.load(plan_path), answer.notes
        else:
            plan, notes = edit_photo(source, out, plan_path, planner, for_request(options, reading))
        return line | {"sentence": "; ".join(notes), "wishes": answer.wishes(), "plan": plan.to_dict()}
    except Refusal as refusal:
        return line | {"status": "refused", "sentence": str(refusal), "wishes": as_rows(refusal.reading, {}),
                       "not_understood": list(refusal.reading.not_understood)}
    except (UserError, OSError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):   # the next rows would fail, too
            raise
        sentence = f"{error.filename or row.img}: {error.strerror}" if isinstance(error, OSError) else str(error)
        return line | {"status": "failed", "sentence": sentence, "wishes": answer.wishes() if answer else []}
