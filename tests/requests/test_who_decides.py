"""Rules and tagger: which of them decides the wishes of a request, with taggers that always give the same guesses."""
import pytest

from core.requests.reader import read
from core.requests.wish import SOMEWHERE, Guess

STRANGE = "Blorp the gronkle zorvily, please make it darker"   # half of the words are unknown; the rules find a wish


def tagger(*guesses, limited=0.0, degree="plain", span=(0, 5)):
    """Return a tagger that guesses (attribute, sign, probability) for each request."""
    return lambda request: [Guess(attribute, sign, degree, limited, probability, span)
                            for attribute, sign, probability in guesses]


def signs(request, *guesses):
    """Return {attribute: sign} of a request."""
    return {wish.attribute: wish.sign for wish in read(request, tagger(*guesses)).wishes}


@pytest.mark.parametrize("request_", [
    "blorp gronkle", "heller bitte", "Raise the contrast, lower the contrast"])
def test_the_tagger_is_not_asked_for_other_languages_unknown_words_and_contradictions(request_):
    def unasked(request):
        raise AssertionError(request)
    assert read(request_, unasked) == read(request_)


def test_a_sure_wish_of_the_tagger_counts_beside_those_of_the_rules():
    assert signs(STRANGE) == {"light": -1}
    assert signs(STRANGE, ("light", -1, 0.6), ("grain", 1, 0.98)) == {"light": -1, "grain": 1}
    assert signs(STRANGE, ("light", -1, 0.6), ("grain", 1, 0.89)) == {"light": -1}
    assert read(STRANGE, tagger(("light", -1, 0.6), ("grain", 1, 0.98))).confidence == 0.6


def test_a_wish_of_the_rules_needs_a_vote_for_its_attribute():
    assert signs(STRANGE, ("haze", 1, 0.97), ("light", -1, 0.3)) == {"light": -1, "haze": 1}
    assert signs(STRANGE, ("haze", 1, 0.97), ("light", -1, 0.29)) == {"haze": 1}
    assert signs(STRANGE, ("haze", 1, 0.89)) == {"light": -1}   # nothing else is left


def test_an_attribute_to_be_kept_needs_no_vote():
    request = "Blorp the gronkle zorvily, darken it, but don't touch the contrast"
    assert signs(request, ("light", -1, 0.9)) == {"light": -1, "contrast": 0}
    assert signs(request, ("light", -1, 0.9), ("contrast", 1, 0.97)) == {"light": -1, "contrast": 1}


def test_a_guess_that_is_not_sure_removes_no_thing():
    request = "Here is the dog. Blorp the gronkle."
    for probability, where in ((0.89, None), (0.9, "the dog")):
        wish, = read(request, tagger(("removal", 1, probability), span=(12, 15))).wishes
        assert (wish.attribute, wish.where) == ("removal", where)


def test_the_tagger_votes_on_requests_of_known_words_too():
    assert signs("make it brighter", ("light", 1, 0.6), ("grain", 1, 0.95)) == {"light": 1, "grain": 1}
    assert signs("make it brighter", ("light", 1, 0.6), ("grain", 1, 0.94)) == {"light": 1}
    assert signs("make it brighter", ("light", 1, 0.1), ("grain", 1, 0.95)) == {"light": 1, "grain": 1}
    assert signs("make it brighter", ("light", 1, 0.09), ("grain", 1, 0.95)) == {"grain": 1}


def test_opposite_wishes_for_two_places_stay():   # the tagger has one wish for an attribute
    assert [(wish.sign, wish.where) for wish in read("brighten the dog and darken the sky", tagger(
        ("light", -1, 0.99), limited=0.99)).wishes] == [(1, "the dog"), (-1, "the sky")]


def test_only_a_sure_tagger_turns_a_wish_of_the_rules():
    assert signs(STRANGE, ("light", 1, 0.89)) == {"light": -1}
    assert signs(STRANGE, ("light", 1, 0.9)) == {"light": 1}


def test_the_tagger_gives_the_degree_unless_the_rules_know_the_words_and_the_rules_give_numbers():
    assert read("make it darker", tagger(("light", -1, 0.9), degree="strong")).wishes[0].degree == "plain"
    assert read(STRANGE, tagger(("light", -1, 0.9), degree="strong")).wishes[0].degree == "strong"
    wish, = read(f"{STRANGE} by 20%", tagger(("light", -1, 0.9), degree="strong")).wishes
    assert (wish.degree, wish.unit) == (20, "%")


@pytest.mark.parametrize("request_, limited, where", [
    (STRANGE, 0.0, None),
    ("Zorvily darker please", 0.9, SOMEWHERE),
    ("Zorvily darker please. Blorp the gronkle.", 0.9, "the gronkle"),
    ("Zorvily darker please. Blorp the gronkle.", 0.6, None),
    ("Here is the sky. Blorp the gronkle. Darker please", 0.9, "the sky"),   # a known place comes first
    ("Zorvily darken the gronkle", 0.1, None),                               # an unknown one may be no place
    ("Zorvily darken the gronkle", 0.3, "the gronkle"),
    ("Zorvily darken the sky", 0.1, "the sky"),
])
def test_the_tagger_decides_whether_a_wish_is_limited_to_a_part(request_, limited, where):
    wish, = read(request_, tagger(("light", -1, 0.9), limited=limited, span=(10, 17))).wishes
    assert (wish.attribute, wish.sign, wish.where) == ("light", -1, where)


def test_the_tagger_serves_requests_without_a_wish_by_rules():
    assert signs("The gronkle of this photo zorvs") == {}
    assert signs("The gronkle of this photo zorvs", ("haze", -1, 0.7)) == {"haze": -1}
    assert signs("Blorp gronkle zorv", ("haze", -1, 0.99)) == {}   # no known word: not guessed


def test_another_wish_takes_the_place_of_no_change_and_of_its_repair():
    assert signs("What about this gronkle?", ("haze", 1, 0.4)) == {}
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
    sunburnt = "Everyone looks sunburnt because of the red tinge, so tone it down"
    assert signs(sunburnt, ("red", -1, 0.99)) == {"temperature": -1}


def test_a_repair_by_the_tagger_backs_a_wish_of_the_rules_for_its_attribute():
    request = "Correct the over exposure and sharpen the photo"
    assert signs(request, ("exposure repair", 1, 0.97), ("sharpness", 1, 0.99)) == {"light": -1, "sharpness": 1}
    assert signs("fix the exposure", ("exposure repair", 1, 0.97)) == {"exposure repair": 1}
