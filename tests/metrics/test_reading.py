"""The score of a reader counts wishes, and judges degree and place only where the wish is right."""
from core.metrics.reading import score
from core.requests.wish import Wish


def test_wishes_are_counted_by_attribute_and_sign():
    wanted = [[Wish("light", 1, "slight"), Wish("contrast", -1)], [], [Wish("haze", -1)]]
    found = [[Wish("light", 1, "strong"), Wish("contrast", 1)], [], [Wish("haze", -1, where="the sky")]]
    figures = score(wanted, found)
    assert (figures["right"], figures["extra"], figures["missed"]) == (2, 1, 1)
    assert figures["F1"] == 2 / 3
    assert figures["whole"] == 2 / 3
    assert (figures["degree"], figures["place"]) == (0.5, 0.5)


def test_a_number_is_compared_as_a_level():
    assert score([[Wish("light", 1, 5)]], [[Wish("light", 1, "slight")]])["degree"] == 1


def test_a_repeated_wish_counts_once_and_the_first_is_compared():
    wishes = [Wish("light", 1, "slight"), Wish("light", 1, "strong", "the sky")]
    figures = score([wishes], [wishes[:1]])
    assert (figures["right"], figures["missed"], figures["degree"], figures["place"]) == (1, 0, 1, 1)


def test_a_share_of_nothing_is_none():
    figures = score([[], []], [[], []])
    assert (figures["F1"], figures["degree"], figures["whole"]) == (None, None, 1)
