"""Measures of stuff: overlaps where a class is, false alarms where it is not."""
import numpy as np
import pytest

from core.metrics.stuff import compare, summarise

EVERYWHERE = np.ones((4, 4), bool)
TOP = np.arange(4)[:, None] < 2 * np.ones((4, 4))
NOWHERE = ~EVERYWHERE


def test_overlaps_and_false_alarms_are_counted_in_their_own_photos():
    rows = [*compare("a", {"sky": TOP.astype(np.float32)}, {"sky": TOP}, EVERYWHERE),        # right
            *compare("b", {}, {"sky": TOP}, EVERYWHERE),                                     # missed
            *compare("c", {"sky": TOP.astype(np.float32)}, {"sky": NOWHERE}, EVERYWHERE),    # false alarm
            *compare("d", {}, {"sky": NOWHERE}, EVERYWHERE)]
    figures = summarise(rows)["sky"]
    assert (figures["photos"], figures["absent"]) == (2, 2)
    assert figures["IoU"][0] == figures["false alarms"][0] == 0.5
    assert figures["whole IoU"] == pytest.approx(8 / 24)


def test_pixels_that_are_not_known_do_not_count():
    row, = compare("a", {"sky": EVERYWHERE.astype(np.float32)}, {"sky": TOP}, TOP)
    assert (row["share"], row["both"], row["either"]) == (1, 8, 8)
    row, = compare("a", {}, {"sky": TOP}, NOWHERE)
    assert row["share"] == 0


def test_a_class_without_photos_has_no_figures():
    figures = summarise(compare("a", {}, {"sky": NOWHERE}, EVERYWHERE))["sky"]
    assert figures["IoU"] is None and figures["whole IoU"] is None and figures["false alarms"][0] == 0
