"""README and docs/: tables and entries are up to date, link targets exist, pages are short, the notebook runs."""
import json
import re
import shutil

import pytest
from PIL import Image
from tiny_project import ROOT

from core.metrics.attributes import MEASURES
from core.operators import TABLE as OPERATOR_TABLE

SCRIPT, OPERATORS = "misc/make_tables.py", "misc/make_operators.py"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES]
TABLE = re.compile(r"(<!-- table: [\w-]+ -->\n).*?(<!-- end of table -->)", re.DOTALL)
ENTRIES = re.compile(r"(<!-- operators -->\n).*(<!-- end of operators -->)", re.DOTALL)


@pytest.fixture()
def copy(tmp_path):
    """Return a folder with a copy of the documents and their figures."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def prose(path):
    """Return the words of a page outside of tables, code and the generated entries of operators."""
    text = re.sub(r"```.*?```", "", ENTRIES.sub("", path.read_text(encoding="utf-8")), flags=re.DOTALL)
    return [word for line in text.splitlines() if not line.startswith("|") for word in line.split()]


def test_the_tables_hold_the_published_figures(run_well):
    run_well(SCRIPT, "--check", "--root", ROOT)


def test_a_changed_digit_is_found(copy, run_script):
    path = copy / "docs/results/RetouchReq_val/evaluation/keywords.json"
    path.write_text(path.read_text().replace('"output SSIM": 0.9', '"output SSIM": 0.8'))
    result = run_script(SCRIPT, "--check", "--root", copy)
    assert result.code == 2
    assert "README.md" in result.err and "results.md" in result.err and "run `make tables`" in result.err


def test_removed_tables_are_restored_to_the_byte(copy, run_well):
    pages = [copy / "README.md", *(copy / "docs").glob("*.md")]
    before = {path: path.read_bytes() for path in pages}
    for path in pages:
        path.write_text(TABLE.sub(r"\1\2", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert any(path.read_bytes() != content for path, content in before.items())
    run_well(SCRIPT, "--root", copy)
    assert {path: path.read_bytes() for path in pages} == before


@pytest.mark.parametrize(("change", "words"), [
    (lambda root: (root / "docs/data.md").write_text("<!-- table: nothing -->\n<!-- end of table -->\n"),
     "data.md: table 'nothing' is not in"),
    (lambda root: (root / "docs/speed.md").write_text("no table"), "tables.toml: table 'kernels' is in no document"),
    (lambda root: (root / "docs/results/speed.json").unlink(), "speed.json: no such file"),
    (lambda root: (root / "docs/results/speed.json").write_text('{"kind": "bench", "figures": {"rows": 3}}'),
     "table 'speed'"),
    (lambda root: (root / "docs/results/speed.json").write_text("[]"), "speed.json: holds no figures")])
def test_broken_descriptions_and_figures_are_named(change, words, copy, run_script):
    change(copy)
    result = run_script(SCRIPT, "--root", copy)
    assert result.code == 2
    assert words in result.err


def test_the_page_of_the_operators_agrees_with_the_table_and_has_a_picture_of_each(run_well):
    run_well(OPERATORS, "--check", "--root", ROOT)
    assert sum(path.stat().st_size for path in (ROOT / "docs/operators").iterdir()) < 700_000
    assert {path.stem for path in (ROOT / "docs/operators").iterdir()} == set(OPERATOR_TABLE)


def test_removed_entries_and_pictures_of_operators_are_restored(copy, run_well):
    page, pictures = copy / "docs/operators.md", copy / "docs/operators"
    sizes = {path.name: Image.open(path).size for path in pictures.iterdir()}
    before = page.read_bytes()
    page.write_text(ENTRIES.sub(r"\1\2", page.read_text(encoding="utf-8")), encoding="utf-8")
    assert page.read_bytes() != before
    shutil.rmtree(pictures)
    run_well(OPERATORS, "--root", copy)
    assert page.read_bytes() == before
    assert {path.name: Image.open(path).size for path in pictures.iterdir()} == sizes


@pytest.mark.parametrize(("change", "words"), [
    (lambda page: page.write_text(page.read_text(encoding="utf-8").replace("| stops | -3 |", "| stops | -4 |")),
     "operators.md: differs from the operator table; run `make tables`"),
    (lambda page: (page.parent / "operators/fade.jpg").unlink(), "operators: has no picture of fade; run `make"),
    (lambda page: page.write_text("# Operators\n"), "operators.md: lacks the lines <!-- operators --> and"),
    (lambda page: page.unlink(), "operators.md: no such file")])
def test_a_page_of_operators_that_differs_is_named(change, words, copy, run_script):
    change(copy / "docs/operators.md")
    result = run_script(OPERATORS, "--check", "--root", copy)
    assert result.code == 2
    assert words in result.err


def test_the_page_of_the_gate_agrees_with_the_measures():
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in
            (ROOT / "docs/gate.md").read_text(encoding="utf-8").partition("## Attributes")[2].splitlines()
            if line.startswith("|")][2:]
    found = {name: (float(visible.split(",")[0]), "all" in visible, tuple(operators.split()))
             for names, _, visible, operators in rows for name in names.split(", ")}
    assert found == {name: (measure.visible, measure.whole is not None, measure.operators)
                     for name, measure in MEASURES.items()}


def test_results_say_how_they_were_measured():
    results = sorted((ROOT / "docs/results").rglob("*.json"))
    assert results
    for path in results:
        result = json.loads(path.read_text(encoding="utf-8"))
        assert {"kind", "figures", "data", "seed", "command", "commit", "date", "machine"} <= result.keys(), path
        assert result["command"].startswith("python "), path
        assert not re.search(r"(^|[\s=\"])/\w", path.read_text(encoding="utf-8")), f"{path} holds a path of a machine"


@pytest.mark.parametrize(("script", "name", "tolerance"), [
    ("misc/calibrate_metrics.py", "metrics", 2e-4), ("misc/wide_gamut_error.py", "wide_gamut", 0.01)])
def test_stored_figures_have_not_drifted(script, name, tolerance, run_well, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_well(script, "--publish", name)
    again, stored = (json.loads((root / f"docs/results/{name}.json").read_text())["figures"]["rows"]
                     for root in (tmp_path, ROOT))
    for ours, known in zip(again, stored, strict=True):
        assert ours == pytest.approx(known, abs=tolerance)


def test_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    assert len(text.split()) <= 1000


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_can_be_read_in_three_minutes(path):
    assert len(prose(path)) <= 750   # at 250 words per minute


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_link_targets_exist(path):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_scripts_exist(path):
    for name in re.findall(r"(?<![\w/.])((?:core|prepro|synthdata|misc|bench|data|tests)/[\w/]+\.(?:py|toml|md))",
                           path.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name


def test_the_tour_runs(tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.setenv("LDIE", str(ROOT))
    tour = nbformat.read(ROOT / "docs/tour.ipynb", as_version=4)
    nbclient.NotebookClient(tour, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = " ".join(output.get("text", "") for cell in tour.cells for output in cell.get("outputs", []))
    before, after = re.search(r"make it brighter: mean luminance ([\d.]+) -> ([\d.]+)", printed).groups()
    assert float(after) > float(before)
