"""A small data set in FiveKReq's format, for the tests that need one on disk."""
import json

from PIL import Image

REQUESTS = ("make it brighter", "increase the contrast a bit", "make the colours pop please", "darken it")


def entries_of(numbers):
    """Return one entry per number: "0001_O.jpg" -> "0001_A.jpg"."""
    return [{"input": f"{number:04d}_O.jpg", "output": f"{number:04d}_A.jpg",
             "request": REQUESTS[number % len(REQUESTS)]} for number in numbers]


def write_dataset(root, photo, phases, session=1):
    """Write annotations and images of `phases`, {phase: entries}; the fixture `photo` makes the images."""
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    for phase, entries in phases.items():
        (root / "annotations" / f"{phase}_sess_{session}.json").write_text(json.dumps(entries), encoding="utf-8")
        for entry in entries:
            for seed, field in enumerate(("input", "output")):
                path = root / "images" / entry[field]
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(photo(seed=seed)).save(path)
    return root
