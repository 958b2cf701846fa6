"""Requests: the words say the direction that the effect has, in many ways, and more words for more of it."""
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.methods.keywords import find_wishes
from core.requests.grammar import LEVELS, Wish, all_words, describe, intent, misspell, region_of
from core.requests.phrases import REGIONS, REPAIRS, WORDS

# The page of rules of core.planning was written by itself: its reading of a sentence is a second opinion.
READ = {  # effect: (the rules' name, sign)
    "brighter": ("light", 1), "darker": ("light", -1), "more contrast": ("contrast", 1),
    "less contrast": ("contrast", -1), "more saturated": ("color", 1), "less saturated": ("color", -1),
    "warmer": ("warmth", 1), "cooler": ("warmth", -1), "sharper": ("detail", 1), "blurrier": ("detail", -1),
}
FIXED = {"removed", "unchanged", *REPAIRS}   # effects without a degree


def sentences(effect, count, rng, levels=LEVELS):
    return [describe([Wish(effect, levels[i % len(levels)])], rng) for i in range(count)]


def without_keep(sentence):
    """Leave out what is not to be touched."""
    kept = "(colou?rs|saturation|warmth|brightness|light|contrast|sharpness|details)"
    return re.sub(f"(don't touch|without (changing|touching)|and keep|keep|leave|(don't|do not) change|but not|not"
                  f"|no change to) the {kept}( as before| alone| the same| as it is)?|the {kept} should stay"
                  f"|no other {kept}", "", sentence, flags=re.I)


@pytest.mark.parametrize("effect", READ)
def test_the_page_of_rules_reads_the_direction_that_is_meant(effect):
    name, sign = READ[effect]
    found = [[wish.sign for wish in find_wishes(sentence) if wish.effect == name]
             for sentence in sentences(effect, 600, np.random.default_rng(1))]
    right, wrong = (sum(signs[-1:] == [side] for signs in found) for side in (sign, -sign))
    assert right > 0.65 * 600        # it lacks the words for some
    assert right > 3 * wrong         # ... and has rules for others that are too simple


@pytest.mark.parametrize("effect", WORDS)
def test_there_are_hundreds_of_ways_to_say_it(effect):
    region = (0, 0) if effect == "removed" else None
    levels = ("plain",) if effect in FIXED else LEVELS
    rng = np.random.default_rng(2)
    said = {describe([Wish(effect, levels[i % len(levels)], region)], rng).lower().rstrip(".") for i in range(2100)}
    assert len(said) > 300


@pytest.mark.parametrize(("effect", "requests"), [
    ("brighter", ["make it brighter", "it's too dark", "brighten it", "make it less dark", "more light"]),
    ("darker", ["make it darker", "it is too bright"]),
    ("more saturated", ["increase the saturation", "pump up the colors", "make the colours pop"]),
    ("less saturated", ["tone down the colours", "make it less colourful"]),
    ("more contrast", ["increase the contrast", "it looks washed out"]),
    ("less contrast", ["decrease the contrast"]),
    ("cooler", ["make it less warm"]), ("sharper", ["sharpen it"]), ("blurrier", ["blur it"]),
])
def test_what_users_type_is_among_them(effect, requests):
    rng, missing = np.random.default_rng(3), set(requests)
    for _ in range(40_000):
        if not missing:
            break
        missing.discard(describe([Wish(effect)], rng).lower().rstrip("."))
    assert missing == set()


def test_degrees_and_percentages_are_said():
    rng = np.random.default_rng(4)
    slight = "slightly|gently|a little|a bit|a tad|a touch|subtly|a tiny|somewhat|hair|smidge|mildly|hint"
    strong = ("a lot|much|far|considerably|way|strongly|significantly|heavily|dramatically|extremely|really|whole lot"
              "|good deal|great deal|drastically|massively|enormously|awful lot|aggressively|terribly|lots|plenty|tons"
              "|loads|huge")
    for effect in ("brighter", "less saturated", "sharper", "redder"):
        for sentence in sentences(effect, 100, rng, ("slight",)):
            assert re.search(slight, sentence, re.I), sentence
        for sentence in sentences(effect, 100, rng, ("strong",)):
            assert re.search(strong, sentence, re.I), sentence
        assert all(re.search("20(%| percent)", describe([Wish(effect, 20)], rng)) for _ in range(50))


def test_what_is_kept_is_never_what_is_edited():
    rng = np.random.default_rng(5)
    kept = [sentence for sentence in sentences("more saturated", 1500, rng) if sentence != without_keep(sentence)]
    assert len(kept) > 20
    assert not any(re.search(r"(touch|changing|keep|leave|change) the colou?rs", sentence, re.I) for sentence in kept)


def test_compound_requests_name_every_wish_in_their_order():
    rng = np.random.default_rng(6)
    wishes = [Wish("brighter"), Wish("sharper")]
    said = [without_keep(describe(wishes, rng)) for _ in range(200)]
    positions = [(re.search("bright|light|dark|dim|gloomy|expos|murky|illum|see a thing", text, re.I),
                  re.search("sharp|crisp|focus|blur|fuzz|detail|clar|soft|edges", text, re.I)) for text in said]
    assert all(light and detail for light, detail in positions)
    assert all(light.start() < detail.start() for light, detail in positions)


def test_several_wishes_are_also_said_in_one_breath():
    rng = np.random.default_rng(9)
    said = {describe([Wish("brighter"), Wish("warmer")], rng).lower().rstrip(".") for _ in range(10_000)}
    assert {"make it brighter and warmer", "brighter and warmer"} <= said
    said = {describe([Wish("less contrast"), Wish("less saturated", "strong")], rng).lower() for _ in range(10_000)}
    assert any(re.search(r"^\w+( \w+)? the contrast and the saturation .*(lot|much|ly)\b", text)
               for text in said)


def test_all_words_are_those_of_the_sentences():
    rng, known = np.random.default_rng(10), set(all_words())
    for effect in sorted(set(WORDS) - {"removed"}):
        for sentence in sentences(effect, 100, rng, ("plain",) if effect in FIXED else LEVELS):
            words = re.findall("[a-z]+", sentence.lower().replace("'", ""))
            assert {word for word in words if len(word) > 1} <= known, sentence


def test_misspelt_words_stay_near_what_was_meant():
    rng = np.random.default_rng(8)
    sentence = "Brighten the café photo slightly, by 10%"
    slips = {misspell(sentence, rng) for _ in range(200)}
    assert len(slips) > 50
    assert all(slip.endswith("by 10%") and slip.split()[1] == "the" for slip in slips)
    assert all(abs(len(slip) - len(sentence)) <= 2 and slip[0] == "B" for slip in slips)
    assert misspell("be it so", rng) == "be it so"


def test_regions_are_named_after_where_the_mask_lies():
    mask = np.zeros((90, 90), bool)
    mask[5:20, 65:85] = True
    assert region_of(mask) == (0, 2)
    rng = np.random.default_rng(7)
    for _ in range(100):
        assert re.search("(upper|top) right", describe([Wish("brighter", "plain", region_of(mask))], rng), re.I)


@given(st.lists(st.sampled_from(sorted(set(WORDS) - FIXED)), min_size=1, max_size=3, unique=True),
       st.sampled_from([*LEVELS, 5, 35]), st.sampled_from([None, *REGIONS]), st.integers(0, 2 ** 32))
def test_sentences_are_well_formed_and_repeatable(effects, level, region, seed):
    wishes = [Wish(effect, level, region) for effect in effects]
    said = describe(wishes, np.random.default_rng(seed))
    assert said == describe(wishes, np.random.default_rng(seed))
    assert not re.search(r"[{}]|  |^ | $|\.\.|\?\.| ,", said)
    assert set(intent(wishes)) <= {"bright", "contrast", "sat", "warm", "sharp"}
