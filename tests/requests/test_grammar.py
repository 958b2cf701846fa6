"""The grammar: its sentences express the direction and the degree of a wish in hundreds of wordings."""
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.requests.grammar import all_words, describe, intent, region_of
from core.requests.phrases import OPPOSITES, WORDS
from core.requests.reader import read_wishes
from core.requests.templates import REGIONS
from core.requests.wish import LEVELS, REPAIRS, Wish

FIXED = {direction for direction in WORDS if direction[0] in ("removal", "unchanged", *REPAIRS)}   # have no degree


def sentences(direction, count, rng, levels=LEVELS):
    return [describe([Wish(*direction, levels[i % len(levels)])], rng) for i in range(count)]


def without_keep(sentence):
    """Remove the part of a sentence that names attributes to keep."""
    kept = "(colou?rs|saturation|warmth|brightness|light|contrast|sharpness|details)"
    return re.sub(f"(don't touch|without (changing|touching)|and keep|keep|leave|(don't|do not) change|but not|not"
                  f"|no change to) the {kept}( as before| alone| the same| as it is)?|the {kept} should stay"
                  f"|no other {kept}", "", sentence, flags=re.I)


@pytest.mark.parametrize("direction", OPPOSITES)
def test_the_reader_finds_the_direction_of_generated_sentences(direction):
    """The reader's rules were not derived from the grammar, so they check its sentences independently."""
    attribute, sign = direction
    found = [[wish.sign for wish in read_wishes(sentence) if wish.attribute == attribute]
             for sentence in sentences(direction, 600, np.random.default_rng(1))]
    right, wrong = (sum(signs[-1:] == [side] for signs in found) for side in (sign, -sign))
    assert right > 0.65 * 600        # the reader lacks some words
    assert right > 3 * wrong         # ... and some of its rules are too simple


def test_opposites_follow_from_the_signs():
    assert OPPOSITES[("light", 1)] == ("light", -1)
    assert all(OPPOSITES[OPPOSITES[direction]] == direction for direction in OPPOSITES)
    assert {attribute for attribute, _ in OPPOSITES} == {
        "light", "contrast", "saturation", "temperature", "sharpness"}


@pytest.mark.parametrize("direction", WORDS)
def test_a_direction_has_hundreds_of_wordings(direction):
    where = (0, 0) if direction[0] == "removal" else None
    levels = ("plain",) if direction in FIXED else LEVELS
    rng = np.random.default_rng(2)
    said = {describe([Wish(*direction, levels[i % len(levels)], where)], rng).lower().rstrip(".") for i in range(2100)}
    assert len(said) > 300


@pytest.mark.parametrize(("direction", "requests"), [
    (("light", 1), ["make it brighter", "it's too dark", "brighten it", "make it less dark", "more light"]),
    (("light", -1), ["make it darker", "it is too bright"]),
    (("saturation", 1), ["increase the saturation", "pump up the colors", "make the colours pop"]),
    (("saturation", -1), ["tone down the colours", "make it less colourful"]),
    (("contrast", 1), ["increase the contrast", "it looks washed out"]),
    (("contrast", -1), ["decrease the contrast"]),
    (("temperature", -1), ["make it less warm"]), (("sharpness", 1), ["sharpen it"]), (("sharpness", -1), ["blur it"]),
])
def test_typical_sentences_of_users_are_generated(direction, requests):
    rng, missing = np.random.default_rng(3), set(requests)
    for _ in range(40_000):
        if not missing:
            break
        missing.discard(describe([Wish(*direction)], rng).lower().rstrip("."))
    assert missing == set()


def test_degrees_and_percentages_are_expressed():
    rng = np.random.default_rng(4)
    slight = "slightly|gently|a little|a bit|a tad|a touch|subtly|a tiny|somewhat|hair|smidge|mildly|hint"
    strong = ("a lot|much|far|considerably|way|strongly|significantly|heavily|dramatically|extremely|really|whole lot"
              "|good deal|great deal|drastically|massively|enormously|awful lot|aggressively|terribly|lots|plenty|tons"
              "|loads|huge")
    for direction in (("light", 1), ("saturation", -1), ("sharpness", 1), ("red", 1)):
        for sentence in sentences(direction, 100, rng, ("slight",)):
            assert re.search(slight, sentence, re.I), sentence
        for sentence in sentences(direction, 100, rng, ("strong",)):
            assert re.search(strong, sentence, re.I), sentence
        assert all(re.search("20(%| percent)", describe([Wish(*direction, 20)], rng)) for _ in range(50))


def test_a_kept_attribute_is_never_the_edited_one():
    rng = np.random.default_rng(5)
    kept = [sentence for sentence in sentences(("saturation", 1), 1500, rng) if sentence != without_keep(sentence)]
    assert len(kept) > 20
    assert not any(re.search(r"(touch|changing|keep|leave|change) the colou?rs", sentence, re.I) for sentence in kept)


def test_compound_requests_name_every_wish_in_their_order():
    rng = np.random.default_rng(6)
    wishes = [Wish("light"), Wish("sharpness")]
    said = [without_keep(describe(wishes, rng)) for _ in range(200)]
    positions = [(re.search("bright|light|dark|dim|gloomy|expos|murky|illum|see a thing", text, re.I),
                  re.search("sharp|crisp|focus|blur|fuzz|detail|clar|soft|edges", text, re.I)) for text in said]
    assert all(light and detail for light, detail in positions)
    assert all(light.start() < detail.start() for light, detail in positions)


def test_several_wishes_may_share_one_phrase():
    rng = np.random.default_rng(9)
    said = {describe([Wish("light"), Wish("temperature")], rng).lower().rstrip(".") for _ in range(10_000)}
    assert {"make it brighter and warmer", "brighter and warmer"} <= said
    said = {describe([Wish("contrast", -1), Wish("saturation", -1, "strong")], rng).lower() for _ in range(10_000)}
    assert any(re.search(r"^\w+( \w+)? the contrast and the saturation .*(lot|much|ly)\b", text)
               for text in said)


def test_all_words_contains_the_words_of_all_sentences():
    rng, known = np.random.default_rng(10), set(all_words())
    for direction in sorted(set(WORDS) - {("removal", 1)}):
        for sentence in sentences(direction, 100, rng, ("plain",) if direction in FIXED else LEVELS):
            words = re.findall("[a-z]+", sentence.lower().replace("'", ""))
            assert {word for word in words if len(word) > 1} <= known, sentence


def test_regions_are_named_after_the_position_of_the_mask():
    mask = np.zeros((90, 90), bool)
    mask[5:20, 65:85] = True
    assert region_of(mask) == (0, 2)
    rng = np.random.default_rng(7)
    for _ in range(100):
        assert re.search("(upper|top) right", describe([Wish("light", 1, "plain", region_of(mask))], rng), re.I)


@given(st.lists(st.sampled_from(sorted(set(WORDS) - FIXED)), min_size=1, max_size=3, unique=True),
       st.sampled_from([*LEVELS, 5, 35]), st.sampled_from([None, *REGIONS]), st.integers(0, 2 ** 32))
def test_sentences_are_well_formed_and_repeatable(directions, degree, where, seed):
    wishes = [Wish(*direction, degree, where) for direction in directions]
    said = describe(wishes, np.random.default_rng(seed))
    assert said == describe(wishes, np.random.default_rng(seed))
    assert not re.search(r"[{}]|  |^ | $|\.\.|\?\.| ,", said)
    assert set(intent(wishes)) <= {"bright", "contrast", "sat", "warm", "sharp"}
