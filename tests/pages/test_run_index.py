"""The table of all runs: one line each, a column for every metric, links that lead to the pages."""
import re
from html import unescape
from urllib.parse import unquote

from core.pages import write_index

ROW = {"run": "FiveK_seq2seqL1_trial_1", "experiment": "seq2seqL1", "trial": 1, "dataset": "FiveK", "phase": "test",
       "metrics": {"output L1": 0.077, "FID": 12.374}, "date": "2024-05-09", "revision": "ad15214",
       "page": "FiveK_seq2seqL1_trial_1/test/web/index.html"}


def table(path):
    """The cells of the page's table as text, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", path.read_text(encoding="utf-8"))
    return [[unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_every_run_is_a_line_and_every_metric_a_column(tmp_path):
    other = {"run": "synth_x_trial_2", "metrics": {"output L1": 0.05, "FID(efficientnet-lite0)": None}}
    path = write_index(tmp_path, iter([ROW, other]))
    assert path == tmp_path / "index.html"
    assert table(path) == [
        ["run", "experiment", "trial", "data set", "phase", "output L1", "FID", "FID(efficientnet-lite0)", "date",
         "revision"],
        ["FiveK_seq2seqL1_trial_1", "seq2seqL1", "1", "FiveK", "test", "0.0770", "12.37", "", "2024-05-09", "ad15214"],
        ["synth_x_trial_2", "", "", "", "", "0.0500", "", "undefined", "", ""]]


def test_links_lead_to_the_page_whatever_the_folder_is_called(tmp_path):
    page = tmp_path / "50% #1 ?<b>" / "index.html"
    page.parent.mkdir()
    page.write_text("here")
    write_index(tmp_path, [ROW | {"run": "a <b>", "page": page.relative_to(tmp_path)}, {"run": "no page yet"}])
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="(.*?)">(.*?)</a>', text)
    assert links == [("50%25%20%231%20%3F%3Cb%3E/index.html", "a &lt;b&gt;")]
    assert (tmp_path / unquote(links[0][0])).read_text() == "here"


def test_no_runs_are_said(tmp_path):
    assert "No runs yet." in write_index(tmp_path, []).read_text(encoding="utf-8")
