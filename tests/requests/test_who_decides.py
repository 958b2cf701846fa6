"""Rules and tagger: which of them decides the wishes of a request, with taggers that always give the same guesses."""
import pytest

from core.requests.reader import read
from core.requests.wish import Guess

STRANGE = "Blorp the gronkle zorvily, please make it darker"   # half of the words are unknown; the rules find a wish


def tagger(*guesses):
    """Return a tagger that guesses (attribute, sign, probability) for each request."""
    return lambda request: [Guess(attribute, sign, "plain", False, probability, (0, 5))
                            for attribute, sign, probability in guesses]


def signs(request, *guesses):
    """Return {attribute: sign} of a request."""
    return {wish.attribute: wish.sign for wish in read(request, tagger(*guesses)).wishes}


@pytest.mark.parametrize("request_", [
    "make it brighter", "heller bitte", "Raise the contrast, lower the contrast"])
def test_the_tagger_is_not_asked_where_the_rules_are_sure(request_):
    def unasked(request):
        raise AssertionError(request)
    assert read(request_, unasked) == read(request_)


def test_a_sure_tagger_replaces_the_wishes_of_the_rules():
    assert signs(STRANGE) == {"light": -1}
    assert signs(STRANGE, ("haze", 1, 0.97), ("grain", 1, 0.98)) == {"haze": 1, "grain": 1}
    assert signs(STRANGE, ("haze", 1, 0.97), ("grain", 1, 0.9)) == {"light": -1}   # all its wishes must be sure
    assert read(STRANGE, tagger(("haze", 1, 0.97))).confidence == 0.97


def test_unlikely_wishes_do_not_count():
    assert signs(STRANGE, ("haze", 1, 0.97), ("grain", 1, 0.4)) == {"haze": 1}
    assert signs("What about this gronkle?", ("haze", 1, 0.4)) == {}


def test_the_tagger_serves_requests_without_a_wish_by_rules():
    assert signs("The gronkle of this photo zorvs") == {}
    assert signs("The gronkle of this photo zorvs", ("haze", -1, 0.7)) == {"haze": -1}
    assert signs("Blorp gronkle zorv", ("haze", -1, 0.99)) == {}   # no known word: not guessed


def test_another_wish_takes_the_place_of_no_change_and_of_its_repair():
    assert signs(STRANGE, ("unchanged", 1, 0.97), ("haze", 1, 0.97)) == {"haze": 1}
    assert signs(STRANGE, ("unchanged", 1, 0.97)) == {"unchanged": 1}
    assert signs(STRANGE, ("exposure repair", 1, 0.99), ("light", 1, 0.97)) == {"light": 1}
    assert signs(STRANGE, ("cast repair", 1, 0.99), ("green", 1, 0.97), ("grain", 1, 0.97)) == {"green": 1, "grain": 1}


def test_a_white_background_has_a_place():
    wishes = read("The gronkle of this photo zorvs", tagger(("white background", 1, 0.9))).wishes
    assert [(wish.attribute, wish.where) for wish in wishes] == [("white background", "the background")]


def test_a_cast_between_the_axes_stays_on_them():
    request = "Blorp gronkle zorvily: neutralise the orange tint from the indoor lamps"
    axes = {"temperature": -1, "green-magenta": -1}
    assert signs(request) == axes
    assert signs(request, ("orange", -1, 0.99), ("grain", 1, 0.99)) == axes | {"grain": 1}
    assert signs(request, ("purple", -1, 0.99)) == {"purple": -1}   # the rules read another colour
