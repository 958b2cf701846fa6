"""Requests labelled with the operators of their pairs."""
import pytest

from core.datasets import WordVocab
from core.datasets.operator_labels import OperatorLabels, operators_of
from core.datasets.vocab import SPECIAL
from core.files import UserError

VOCAB = WordVocab((*SPECIAL, "brighter", "remove"))


def entry(request, *names, photo="a.png"):
    return {"input": photo, "output": "x.png", "request": request,
            "operator": {name: {"local": False, "ids": []} for name in names}}


def test_labels_follow_the_order_of_the_names_and_nan_requests_do_not_matter():
    entries = [entry("brighter", "hue", "brightness"), entry("remove it", "crop", photo="b.png")]
    samples = OperatorLabels(entries, [operators_of(row) for row in entries], ("brightness", "hue"), VOCAB)
    assert samples.labels.tolist() == [[1, 1], [0, 0]]
    assert samples[0]["request_ids"][:3].tolist() == [1, 4, 2]
    assert "input" not in samples[0]
    report = " ".join(samples.report())
    assert "1 pairs use none of these operators; they stay, with no label" in report
    assert "operators that are no label: crop" in report


def test_merged_operators_count_as_the_nearest_label():
    row = entry("lighter", "lightness", "black&white", "crop")
    assert operators_of(row, merge=True) == {"brightness", "saturation", "crop"}
    assert operators_of(row) == {"lightness", "black&white", "crop"}


@pytest.mark.parametrize("operator", [None, ["hue"], 3])
def test_an_entry_without_a_table_of_operators_is_named(operator):
    with pytest.raises(UserError, match=r"a.png>x.png: field 'operator' is not a table of operators"):
        operators_of(entry("brighter") | {"operator": operator})
