"""Imports only go down the floors; rooms on one floor do not import each other, except for NEIGHBOURS."""
import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT_FOLDERS = ("prepro", "synthdata", "AMT", "data", "misc", "bench")
FLOORS = {room: floor for floor, rooms in enumerate((
    ("files", "colour", "filters", "lazy", "matrices", "pretrained", "threads"),
    ("operators", "regions", "requests", "losses", "photo"),
    ("models", "planning", "datasets", "metrics", "pages", "exports"),
    ("engine", "synthesis", "finding"),
    ("methods",),
    ("studio", "evaluation", "training"),
), 1) for room in rooms}
SCRIPT = 7
ALIASES = {"utils": {"beam_search.py"}, "datasets_": {"IERdataset.py", "eddatasets.py"},
           "tools": {"run_train.py", "run_test.py"}}   # the notebook's names
# imports on one floor that are allowed
NEIGHBOURS = {("operators", "regions"), ("pretrained", "files"), ("colour", "matrices")}


def sources(root):
    """Return {dotted name: path} of all Python files of the repository."""
    paths = [path for folder in ("core", *SCRIPT_FOLDERS) for path in sorted((root / folder).rglob("*.py"))]
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def room_of(name):
    """Return the room of a module of the repository: "operators", "files", ...; None for a script."""
    parts = name.split(".")
    return parts[1] if parts[0] == "core" and len(parts) > 1 and parts[1] in FLOORS else None


def imported(name, path):
    """Yield (line, dotted name) of each import anywhere in a file; `from a import b` gives a.b."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            parts = [*base, *(node.module.split(".") if node.module else [])]
            yield from ((node.lineno, ".".join([*parts, alias.name])) for alias in node.names)


def trespass(room, target):
    """Return why a module of `room` (None: a script) must not import `target`, or None if it may."""
    if target.split(".")[0] not in ("core", *SCRIPT_FOLDERS):
        return None
    goal = room_of(target)
    if goal is None:
        return "imports a script"
    here, there = SCRIPT if room is None else FLOORS[room], FLOORS[goal]
    if there > here:
        return f"climbs from {room} to {goal}"
    if there == here and goal != room and (room, goal) not in NEIGHBOURS:
        return f"crosses from {room} to {goal}"
    return None


def violations(root):
    """Return a sentence for each import of a higher room, a forbidden neighbour or a script, and for each utils.py."""
    found = []
    for name, path in sources(root).items():
        if path.name == "utils.py":
            found.append(f"{name}: has no subject")
        for line, target in imported(name, path):
            if name.startswith("bench.") and target.startswith("bench."):   # bench is a package
                continue
            if wrong := trespass(room_of(name), target):
                found.append(f"{name}, line {line}: {wrong} ({target})")
    return found


def test_all_imports_of_the_repository_are_allowed():
    assert violations(ROOT) == []


def test_every_room_has_a_floor_and_is_checked():
    rooms = {room_of(name) for name in sources(ROOT)}
    assert rooms == {*FLOORS, None}
    folders = {path.name for path in (ROOT / "core").iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders - ALIASES.keys() <= rooms   # these hold only scripts under the notebook's names


@pytest.mark.parametrize("folder", ALIASES)
def test_aliases_of_scripts_are_alone_in_their_folder(folder):
    assert {path.name for path in (ROOT / "core" / folder).glob("*.py")} == ALIASES[folder]


def test_every_script_puts_the_root_on_the_path_first():
    """Before `_init_paths` a script may only import the standard library, and no file beside it may shadow a module."""
    scripts = [path for path in sources(ROOT).values()
               if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")]
    assert scripts
    for path in scripts:
        imports = [target.split(".")[0] for _, target in imported(path.stem, path)]
        before = imports[:imports.index("_init_paths")]
        assert set(before) <= sys.stdlib_module_names, path
        assert (path.parent / "_init_paths.py").is_file(), path
        assert not {beside.stem for beside in path.parent.iterdir()} & sys.stdlib_module_names, path.parent


HOUSE = {
    "core/__init__.py": "", "core/files.py": "import json", "core/operators/__init__.py": "from core.files import a",
    "core/models/__init__.py": "", "core/models/eyes.py": "import torch\nfrom core.operators import Plan",
    "core/models/planner.py": "from core.models.eyes import look\nfrom .eyes import see",
    "core/pages/steps.py": "from core.operators.table import TABLE", "core/engine/run.py": "import core.models.eyes",
    "core/train_x.py": "import _init_paths\nfrom core.engine.run import Run\nfrom core import files",
    "core/test_x.py": "", "prepro/gen.py": "from core.planning import plan_pairs", "synthdata/gen_data.py": "",
    "misc/plot.py": "from core.engine import run",
}


def build(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_house_in_order_has_no_violations(tmp_path):
    assert violations(build(tmp_path, HOUSE)) == []


@pytest.mark.parametrize(("name", "text", "wrong"), [
    ("core/files.py", "import core.operators", "climbs from files to operators"),
    ("core/operators/table.py", "from core.models.planner import Planner", "climbs from operators to models"),
    ("core/operators/table.py", "from core import engine", "climbs from operators to engine"),
    ("core/models/eyes.py", "def f():\n    from core.engine import run", "climbs from models to engine"),
    ("core/models/eyes.py", "from ..engine.run import Run", "climbs from models to engine"),
    ("core/models/eyes.py", "try:\n    import core.datasets as d\nexcept ImportError:\n    pass",
     "crosses from models to datasets"),
    ("core/losses/plan.py", "from core.models import planner", "climbs from losses to models"),
    ("core/losses/plan.py", "from core.operators import Plan", "crosses from losses to operators"),
    ("core/regions/mask.py", "from core.operators import Plan", "crosses from regions to operators"),
    ("core/pages/__init__.py", "from ..datasets import pairs", "crosses from pages to datasets"),
    ("core/engine/run.py", "from core import train_x", "imports a script"),
    ("core/engine/run.py", "import core.train_x", "imports a script"),
    ("core/test_x.py", "from core.train_x import main", "imports a script"),
    ("prepro/gen.py", "from synthdata.gen_data import main", "imports a script"),
    ("core/models/eyes.py", "import misc.plot", "imports a script"),
    ("synthdata/gen_data.py", "from misc import plot", "imports a script"),
    ("data/X/X.py", "from . import Y", "imports a script"),
    ("core/models/utils.py", "", "has no subject"),
    ("prepro/utils.py", "", "has no subject"),
])
def test_a_forbidden_import_is_found(tmp_path, name, text, wrong):
    found = violations(build(tmp_path, HOUSE | {name: text}))
    assert len(found) == 1
    assert found[0].startswith(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    assert wrong in found[0]
