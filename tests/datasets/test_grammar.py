"""Requests: the words say the direction that the effect has, in many ways, and more words for more of it."""
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.grammar import LEVELS, REGIONS, WORDS, Wish, describe, intent, misspell, region_of

# An independent reader: each word leans one way on its scale; "less", "too", "not" and verbs of lowering turn it.
SCALES = {
    "light": ("brighter brighten lighten lighter light bright brightness exposure lift",
              "darker darken dark dimmer dim gloomy deepen"),
    "contrast": ("contrast contrasty punch punchier harsh pop", "flat flatter flatten hazy fade faded matte"),
    "color": ("saturation saturate saturated colorful colourful vivid vibrant vibrance color colour pop",
              "desaturate dull gray grey pale paler muted"),
    "warmth": ("warmth warm warmer", "cool cooler cold colder"),
    "detail": ("sharp sharpen sharper sharpness crisp crisper crispness", "blur blurry blurrier blurred fuzzy"),
}
TURNS = ("less", "too", "decrease", "reduce", "lower", "turn_down", "bring_down", "tone_down", "cut")
READ = {  # effect: (scale, sign)
    "brighter": ("light", 1), "darker": ("light", -1), "more contrast": ("contrast", 1),
    "less contrast": ("contrast", -1), "more saturated": ("color", 1), "less saturated": ("color", -1),
    "warmer": ("warmth", 1), "cooler": ("warmth", -1), "sharper": ("detail", 1), "blurrier": ("detail", -1),
}
# Idioms that turn on knowledge of the world rather than on a word of direction.
IDIOMS = {
    "brighter": "underexposed|enough light|light .* up", "darker": "overexposed|too much light|dim the light",
    "more contrast": "washed out|looks flat",
    "less contrast": "contrast is too high|too much contrast|soften the contrast",
    "more saturated": "washed out|are dull|(bring out|pump up|enrich|intensify) the colou?rs|colou?rs pop",
    "less saturated": "(tone down|mute|subdue) the colou?rs|too (strong|loud|gaudy)|less gaudy",
    "warmer": "raise the colou?r temperature", "cooler": "lower the colou?r temperature|cool down",
    "sharper": "out of focus", "blurrier": "(blur|soften) the details|blurry enough",
}

FIXED = {"removed", "unchanged"}   # effects without a degree


def read(sentence, scale):
    """Return the sign of a plain sentence on a scale, 0 if it says nothing about it."""
    text = sentence.lower().replace("turn down", "turn_down").replace("bring down", "bring_down")
    words = re.findall(r"[a-z_]+", text.replace("tone down", "tone_down"))
    up, down = (set(side.split()) for side in SCALES[scale])
    lean = sum((word in up) - (word in down) for word in words)
    turned = sum(word in TURNS for word in words) + ("not" in words and "enough" in words) * 2
    return int(np.sign(lean)) * (-1) ** turned


def sentences(effect, count, rng, levels=LEVELS):
    return [describe([Wish(effect, levels[i % len(levels)])], rng) for i in range(count)]


def without_keep(sentence):
    """Leave out what is not to be touched."""
    kept = "(colou?rs|brightness|contrast|sharpness)"
    return re.sub(f"(don't touch|without changing|keep|leave|don't change|not|no change to) the {kept}"
                  f"( as before| alone| the same)?|the {kept} should stay", "", sentence, flags=re.I)


@pytest.mark.parametrize("effect", READ)
def test_words_point_in_the_direction_of_the_effect(effect):
    scale, sign = READ[effect]
    for sentence in sentences(effect, 400, np.random.default_rng(1)):
        text = without_keep(sentence)
        if not re.search(IDIOMS[effect], text, re.I):
            assert read(text, scale) == sign, sentence


@pytest.mark.parametrize("effect", WORDS)
def test_there_are_hundreds_of_ways_to_say_it(effect):
    region = (0, 0) if effect == "removed" else None
    levels = ("plain",) if effect in FIXED else LEVELS
    rng = np.random.default_rng(2)
    said = {describe([Wish(effect, levels[i % len(levels)], region)], rng).lower().rstrip(".") for i in range(2100)}
    assert len(said) > 300


@pytest.mark.parametrize(("effect", "requests"), [
    ("brighter", ["make it brighter", "the photo is too dark", "brighten it", "make it less dark"]),
    ("darker", ["make it darker", "the photo is too bright"]),
    ("more saturated", ["increase the saturation", "pump up the colors", "make the colours pop"]),
    ("less saturated", ["make it less colorful", "tone down the colours", "make it less colourful"]),
    ("more contrast", ["increase the contrast", "it looks washed out"]),
    ("less contrast", ["decrease the contrast"]),
    ("cooler", ["make it less warm"]), ("sharper", ["sharpen it"]), ("blurrier", ["blur it"]),
])
def test_what_users_type_is_among_them(effect, requests):
    rng = np.random.default_rng(3)
    said = {sentence.lower().rstrip(".") for sentence in sentences(effect, 5000, rng, ("plain",))}
    assert set(requests) <= said


def test_degrees_and_percentages_are_said():
    rng = np.random.default_rng(4)
    slight = "slightly|gently|a little|a bit|a tad|a touch|subtly|a tiny|somewhat"
    strong = ("a lot|much|far|considerably|way|strongly|significantly|heavily|dramatically|extremely|really|whole lot"
              "|good deal")
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
    positions = [(re.search("bright|light|dark|dim|gloomy|expos", text, re.I),
                  re.search("sharp|crisp|focus|blur|fuzz|detail", text, re.I)) for text in said]
    assert all(light and detail for light, detail in positions)
    assert all(light.start() < detail.start() for light, detail in positions)


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
