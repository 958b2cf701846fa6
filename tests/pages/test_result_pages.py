"""Result pages show every result completely, escape every text of a user, and survive a run that breaks off."""
import json
import re
import weakref
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.operators import TABLE
from core.pages import write_results
from core.pages.steps import curves, parameters


class Reader(HTMLParser):
    """Parse a page into the elements, links, pictures and texts that a browser finds."""

    def __init__(self, path):
        super().__init__()
        self.path, self.elements, self.texts = path, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def every(self, tag, **having):
        """Return the attributes of all elements `tag` that have these attribute values."""
        return [a for name, a in self.elements if name == tag and having.items() <= a.items()]

    @property
    def pictures(self):
        return [self.path.parent / image["src"] for image in self.every("img")]


def data_beside(path):
    """Return the rows of the results.js beside a page."""
    lines = path.with_name("results.js").read_text(encoding="utf-8").splitlines()
    return [json.loads(line.removeprefix("result(").removesuffix(");")) for line in lines]


def test_page_shows_request_pictures_steps_and_metrics(tmp_path, photo, make):
    path = write_results(tmp_path, "Run", [make(target=photo(seed=9))], ["A note."])
    page = Reader(path)
    assert path == tmp_path / "index.html"
    for text in ("Run", "A note.", "request 0", "Brightness", "Plain tone curve", "tint", "hue", "color_bg", "dream",
                 "strongly", "paints the masked area white", "1.500 2.500", "L1", "0.0770", "undefined"):
        assert any(text in t for t in page.texts), text
    assert [Image.open(p).size for p in page.pictures] == [(64, 48)] * 10  # input, output, target; six steps; one mask
    assert [p.stem[6:] for p in page.pictures] == ["input", "output", "target", "1", "2", "3", "4", "4_mask", "5", "6"]
    mask = np.asarray(Image.open(page.pictures[7]))
    assert mask[::8, ::8].diagonal().min() > 200 > 50 > mask.mean()  # white where the step edits
    assert all(image["loading"] == "lazy" and image["alt"] for image in page.every("img"))


def test_pictures_are_the_right_ones_and_at_most_640_pixels_long(tmp_path, photo, bare):
    large = np.kron(photo(60, 100), np.ones((10, 10, 1), np.uint8))
    page = Reader(write_results(tmp_path, "Run", [bare(0, input=large)]))
    shown = [np.asarray(Image.open(p)).astype(float) for p in page.pictures]
    assert shown[0].shape == (384, 640, 3)
    assert np.abs(shown[0].mean((0, 1)) - large.mean((0, 1))).max() < 2
    assert np.abs(shown[1] - photo(seed=1)).mean() < 12  # the picture is noisy, and JPEG loses noise
    image = page.every("img")[0]
    assert (image["width"], image["height"]) == ("640", "384")


def test_one_parameter_is_a_bar_from_neutral_to_its_value(tmp_path, make):
    page = Reader(write_results(tmp_path, "Run", [make()]))
    assert page.every("i") == [{"style": "left:33.3%;width:16.7%"}]  # brightness 0.5 in [-1, 2], neutral 0
    assert page.every("b", style="left:33.3%")
    assert "+0.500" in page.texts


def test_tone_curves_are_plotted_from_their_slopes(tmp_path, make):
    page = Reader(write_results(tmp_path, "Run", [make()]))
    drawn = {line["class"]: [tuple(map(float, p.split(","))) for p in line["points"].split()]
             for line in page.every("polyline")}
    assert drawn["all"][::4] == [(12.5 * i, 100 - min(25 * i, 100)) for i in range(9)]  # twice as steep, then flat
    for channel in ("red", "green", "blue"):
        assert drawn[channel][::4] == [(12.5 * i, 100 - 12.5 * i) for i in range(9)]


def test_smooth_curves_are_plotted_through_their_knots():
    def drawn(op, heights):
        lines = re.findall('points="([^"]+)"', curves(op, heights).render())
        return [[100 - float(point.partition(",")[2]) for point in line.split()] for line in lines]
    line, = drawn("tone_curve_smooth", [0, 0.125, 0.5, 0.75, 1])
    assert line[::8] == [0, 12.5, 50, 75, 100]
    assert line == sorted(line)
    identity = [i / 8 for i in range(9)]
    red, green, blue = drawn("channel_curves", [*identity[:-1], 0.9, *identity, *identity])
    assert (red[-1], green[::4], blue) == (90, [12.5 * i for i in range(9)], green)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.n_params > 1 and not row.curves],
                         ids=lambda row: row.name)
def test_several_parameters_are_bars_of_those_that_have_moved(row):
    params = row.neutral.tolist()
    params[-1] = row.params[-1].high
    assert re.findall("<output>([^<]+) [+-]", parameters(row.name, params).render()) == [row.params[-1].name]


def test_words_are_shaded_by_attention_row_by_row(tmp_path, make):
    result = make(words=["much", "<UNK>"], attention=np.array([[0.2, 0.8], [0.5, 0.5], *[[0, 0]] * 4, [1, 0]]))
    page = Reader(write_results(tmp_path, "Run", [result]))
    shades = [span["style"] for span in page.every("span") if "style" in span]
    assert shades == [f"--w:{w}" for w in ("0.25", "1.00", "1.00", "1.00", *["0.00"] * 8)]  # without the row of END
    assert page.every("span", title="attention 0.80")
    assert page.texts.count("<UNK>") == 6


def test_attention_with_fewer_rows_than_steps_is_an_error_not_a_gap(tmp_path, make):
    with pytest.raises(ValueError, match="shorter"):
        write_results(tmp_path, "Run", [make(words=["a"], attention=np.ones((2, 1)))])


def test_nothing_is_loaded_from_elsewhere(tmp_path, make):
    page = Reader(write_results(tmp_path, "Run", [make(i) for i in range(3)]))
    addresses = [value for _, a in page.elements for key, value in a.items() if key in ("src", "href")]
    assert addresses
    assert all((tmp_path / address).is_file() for address in addresses)
    assert not re.search(r"url\(|@import", page.path.read_text())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\0\r"), min_size=1))
@example("half a smile \ud83d")  # JSON can hold a lone surrogate, UTF-8 cannot
def test_any_request_is_shown_as_text(tmp_path, photo, bare, request_text):
    picture = photo(4, 4)
    page = Reader(write_results(tmp_path, "Run", [bare(0, request=request_text, input=picture, output=picture)]))
    assert request_text.encode("utf-8", "replace").decode() in page.texts


@pytest.mark.parametrize("field", ["name", "request", "words", "op", "params", "metrics"])
def test_markup_in_any_field_stays_text(tmp_path, field, make):
    evil = "<script>alert('x')</script><img src=x onerror=\"y\">"
    result = make(words=["a"], attention=np.ones((6, 1)))
    if field in ("op", "params"):
        result["steps"][0][field] = evil
    else:
        result[field] = {"words": [evil], "metrics": {evil: 0.5}}.get(field, evil)
    page = Reader(write_results(tmp_path, evil, [result], [evil]))
    assert len(page.every("script")) == 1  # the page's own script
    assert len(page.every("img")) == 9
    assert sum(evil in text for text in page.texts) >= 4  # title, heading, note and the field


def test_page_is_saved_while_results_arrive_and_results_are_freed(tmp_path, photo, bare):
    alive, index = weakref.WeakSet(), tmp_path / "index.html"

    class Pixels(np.ndarray):
        """An array that a weak set can hold."""

        __hash__ = object.__hash__

    def results():
        for number in range(60):
            assert len(alive) <= 2, "earlier results are still held"
            if number > 50:
                assert len(Reader(index).every("article")) == len(data_beside(index)) == 50
            picture = photo(4, 4).view(Pixels)
            alive.add(picture)
            yield bare(number, input=picture, output=photo(4, 4))

    write_results(tmp_path, "Run", results())
    assert len(Reader(index).every("article")) == 60


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_run_that_breaks_off_leaves_a_page_with_the_results_so_far(tmp_path, make, stop):
    def results():
        yield from (make(i) for i in range(3))
        raise stop

    with pytest.raises((KeyboardInterrupt, OSError)):
        write_results(tmp_path, "Run", results())
    page = Reader(tmp_path / "index.html")
    assert len(page.every("article")) == len(data_beside(page.path)) == 3
    assert page.pictures
    assert all(picture.is_file() for picture in page.pictures)


def test_run_that_breaks_off_before_its_first_result_leaves_the_earlier_page(tmp_path, bare):
    page = write_results(tmp_path, "Old", [bare()])
    before = page.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_results(tmp_path, "New", (1 / 0 for _ in range(1)))
    assert page.read_bytes() == before
    assert all(picture.is_file() for picture in Reader(page).pictures)


def test_earlier_page_keeps_its_own_pictures_until_it_is_replaced(tmp_path, bare):
    page = write_results(tmp_path, "Old", [bare()])
    old, compared = Reader(page).pictures[0].read_bytes(), []

    def results():
        for number in (7, 8):
            yield bare(number)
            assert "Old" in Reader(page).texts
            compared.append(Reader(page).pictures[0].read_bytes() == old)

    write_results(tmp_path, "New", results())
    assert compared == [True] * 2
    assert Reader(page).pictures[0].read_bytes() != old


def test_shorter_run_removes_all_pictures_of_an_earlier_run(tmp_path, bare):
    write_results(tmp_path, "Old", [bare(i) for i in range(5)])
    page = Reader(write_results(tmp_path, "New", [bare(7)]))
    assert [row["name"] for row in data_beside(page.path)] == ["7.jpg"]
    assert set(tmp_path.rglob("*.jpg")) == set(page.pictures)


def test_data_beside_the_page_agree_with_the_page(tmp_path, make, photo):
    request = "</script>\u2028 half a smile \ud83d"
    path = write_results(tmp_path, "Run", [make(request=request, target=photo(seed=9))])
    row, = data_beside(path)
    assert (row["name"], row["request"], row["metrics"]) == ("0.jpg", request, [["output L1", 0.077]])
    assert row["plan"] == ["brightness +0.500", "tint", "hue", "color_bg", "dream strongly", "rotate +1.500 +2.500"]
    assert {role: Image.open(tmp_path / image[0]).size for role, image in row["images"].items()} == dict.fromkeys(
        ("input", "output", "target"), (64, 48))


def test_input_and_output_of_unlike_shapes_stand_beside_each_other(tmp_path, bare, photo):
    page = Reader(write_results(tmp_path, "Run", [bare(output=photo(64, 48))]))
    assert not page.every("input", type="range")
    assert {"input", "output"} <= set(page.texts)


def test_a_page_reports_missing_results_and_an_empty_plan(tmp_path, bare):
    assert "No results." in Reader(write_results(tmp_path / "a", "Run", [])).texts
    assert "No operation: the plan is empty." in Reader(write_results(tmp_path / "b", "Run", [bare(0)])).texts
