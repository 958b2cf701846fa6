"""The table of all runs: one row per run, one column per metric, links to the pages."""
import re
from html import unescape
from urllib.parse import unquote

from core.pages import write_index

ROW = {"run": "FiveK_seq2seqL1_trial_1", "experiment": "seq2seqL1", "trial": 1, "dataset": "FiveK", "phase": "test",
       "metrics": {"input L1": 0.119, "output L1": 0.077, "FID": 12.374}, "date": "2024-05-09", "revision": "ad15214",
       "page": "FiveK_seq2seqL1_trial_1/test/web/index.html"}


def table(path):
    """Return the cells of the page's table as text, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", path.read_text(encoding="utf-8"))
    return [[unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_every_run_is_a_row_with_all_known_figures(tmp_path):
    first = ROW | {"intervals": {"output L1": [0.071, 0.0833], "FID": None}, "notebook": {"output L1": 0.08, "x": 1.0},
                   "seeds": {"output L1": [0.078, 0.0011]}, "data": "4,950 pairs", "surprise": 1}
    other = {"run": "synth_x_trial_2", "metrics": {"output L1": 0.05, "FID(efficientnet-lite0)": None}, "curve": None}
    path = write_index(tmp_path, iter([first, other]))
    assert path == tmp_path / "index.html"
    assert table(path) == [
        ["compare", "run", "trial", "data", "phase", "L1", "FID", "FID(efficientnet-lite0)", "learning", "obedience",
         "date", "revision"],
        ["", "FiveK_seq2seqL1_trial_1", "1", "FiveK4,950 pairs", "test",
         "0.07700.0710 – 0.0833input 0.1190seeds 0.0780 ± 0.0011notebook 0.0800", "12.37", "", "", "", "2024-05-09",
         "ad15214"],
        ["", "synth_x_trial_2", "", "", "", "0.0500", "", "undefined", "", "", "", ""]]


def test_curve_is_plotted_small_and_large_and_skips_values_that_are_no_numbers(tmp_path):
    curve = [[1, 0.5], [2, None], [3, float("nan")], [4, 0.1], [5, 0.3]]
    text = write_index(tmp_path, [ROW | {"curve": curve}]).read_text(encoding="utf-8")
    small, large = re.findall(r'<polyline points="(.*?)"', text)
    assert small == "2.0,2.0 71.0,24.0 94.0,13.0"
    assert len(large.split()) == 3
    assert 'popovertarget="curve-0"' in text
    assert 'id="curve-0"' in text


def test_links_lead_to_the_page_for_any_name_of_the_folder(tmp_path):
    page = tmp_path / "50% #1 ?<b>" / "index.html"
    page.parent.mkdir()
    page.write_text("here")
    write_index(tmp_path, [ROW | {"run": "a <b>", "page": page.relative_to(tmp_path)}, {"run": "no page yet"}])
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="(.*?)">(.*?)</a>', text)
    assert links == [("50%25%20%231%20%3F%3Cb%3E/index.html", "a &lt;b&gt;")]
    assert (tmp_path / unquote(links[0][0])).read_text() == "here"


def test_obedience_page_is_linked(tmp_path):
    text = write_index(tmp_path, [ROW | {"obedience": "a b/web/index.html"}]).read_text(encoding="utf-8")
    assert '<a href="a%20b/web/index.html">' in text


def test_an_empty_table_says_that_there_are_no_runs(tmp_path):
    assert "No runs yet." in write_index(tmp_path, []).read_text(encoding="utf-8")
