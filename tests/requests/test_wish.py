"""The wish is a value: wishes compare by their fields, serve as keys of tables, and refuse unknown values."""
import pytest

from core.methods.keywords import EFFECTS
from core.requests.phrases import WORDS
from core.requests.wish import ATTRIBUTES, Wish


def test_wishes_compare_by_their_fields():
    assert Wish("light") == Wish("light", 1, "plain", None)
    assert Wish("light", -1, 20).direction == ("light", -1)
    assert len({Wish("light"), Wish("light", 1), Wish("light", -1), Wish("light", 1, "strong")}) == 3


def test_the_tables_are_keyed_by_known_attributes():
    assert {attribute for attribute, _ in WORDS} <= set(ATTRIBUTES)
    assert set(EFFECTS) <= set(ATTRIBUTES)


@pytest.mark.parametrize(("fields", "sentence"), [
    (("brighter",), "attribute 'brighter': unknown; known are: light"), (("light", 2), "sign 2: must be 1, 0 or -1"),
    (("light", 1, "huge"), "degree 'huge'"), (("light", 1, -5), "degree -5"), (("light", 1, None), "degree None"),
        (("light", 1, 2, None, "inches"), "unit 'inches': unknown")])
def test_unknown_values_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Wish(*fields)
