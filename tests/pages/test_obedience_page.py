"""The obedience page shows the table and each failing sentence, escaped, with its pictures if there are any."""
from html.parser import HTMLParser

import pytest
from PIL import Image

from core.pages.obedience import expectation, interval_of, percent, write_obedience

ROWS = [{"suite": "direction", "asked_for": None, "right": 3, "asked": 8, "share": 0.375, "interval": [0.25, 0.5]},
        {"suite": "direction", "asked_for": "bright+", "right": 0, "asked": 4, "share": 0.0, "interval": None},
        {"suite": "no_op", "asked_for": None, "right": 2, "asked": 2, "share": 1.0, "interval": [1.0, 1.0]}]


class Reader(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data + "|"


def failure(sentence, partner=None, examples=()):
    return {"suite": "direction", "sentence": sentence, "partner": partner, "asks": "bright+ warm-", "keeps": ["sat"],
            "right": 1, "asked": 4, "failed": ["a.jpg", "b.jpg", "c.jpg"], "examples": list(examples)}


def test_the_table_and_the_failing_sentences_are_shown(tmp_path, photo):
    examples = [{"caption": "before", "image": photo()}, {"caption": "after", "image": photo(seed=1)}]
    failures = [failure("make it <script>alert(1)</script>", "darker & darker", examples), failure("lighter")]
    path = write_obedience(tmp_path / "web", "run 7", ROWS, iter(failures), ["on 4 photos"])
    page = Reader(path)
    for text in ("run 7", "on 4 photos", "37.5%", "25.0 to 50.0%", "undefined", "100.0%", "bright+", "No-op",
                 "make it <script>alert(1)</script>", "compared with: darker & darker", "wrong on: a.jpg, b.jpg, c.jpg",
                 "right on 1 of 4 photos · expected: brighter and cooler, sat kept",
                 "Direction: 2 sentences failed on a photo"):
        assert text in page.text
    assert "script" not in {tag for tag, _ in page.elements}
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a" and attributes["href"][0] == "#"]
    assert links == ["#direction"]   # no sentence of no-op failed
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert [Image.open(path.parent / picture["src"]).size for picture in pictures] == [(64, 48)] * 2
    assert all("alert(1)" in picture["alt"] for picture in pictures)


def test_a_page_without_failures_says_so_and_removes_old_pictures(tmp_path, photo):
    write_obedience(tmp_path, "run", ROWS, [failure("x", examples=[{"caption": "before", "image": photo()}])])
    assert list(tmp_path.rglob("*.jpg"))
    path = write_obedience(tmp_path, "run", ROWS, [])
    assert "No sentence failed." in Reader(path).text
    assert not list(tmp_path.rglob("*.jpg"))


@pytest.mark.parametrize(("interval", "text"), [(None, "undefined"), ([0, 1], "0.0 to 100.0%")])
def test_shares_are_shown_in_per_cent(interval, text):
    assert interval_of(interval) == text
    assert percent(2 / 3) == "66.7%"


@pytest.mark.parametrize(("suite", "asks", "words"), [
    ("no_op", "", "no change"),
    ("two_wishes", "bright- sharp+", "darker and sharper"),
    ("opposites", "sat+", "more colourful, the opposite moves the other way"),
])
def test_the_expected_change_is_described_in_words(suite, asks, words):
    assert expectation(suite, asks) == words
