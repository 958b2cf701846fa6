"""Spelling: a simulated slip stays close to its word, and the corrector finds the word again."""
import pickle

import numpy as np
import pytest

from core.requests.spelling import Corrector, SlipCorrector, misspell

WORDS = ("brighten", "the", "photo", "color", "saturated", "contrast", "by", "sharp", "underexposed", "increase",
         "boost")


@pytest.mark.parametrize(("slip", "word"), [
    ("brigten", "brighten"), ("photoo", "photo"), ("contarst", "contrast"), ("colour", "color"), ("teh", "the"),
    ("zebra", "zebra"), ("sharp", "sharp"), ("bx", "bx"), ("black-and-white", "black-and-white"), ("10%", "10%"),
    ("", "")])
def test_a_misspelt_word_becomes_the_known_word_and_other_words_stay(slip, word):
    assert Corrector(WORDS)(slip) == word


def test_a_prefix_that_reverses_the_meaning_is_not_corrected():
    correct = Corrector(WORDS)
    assert [correct(word) for word in ("oversaturated", "unsaturated", "overexposed", "unsharp")] == [
        "oversaturated", "unsaturated", "overexposed", "unsharp"]


def test_the_first_letter_can_be_assumed_right():
    lenient, strict = Corrector(WORDS), Corrector(WORDS, same_initial=True)
    assert (lenient("coost"), strict("coost")) == ("boost", "coost")
    assert (lenient("icnrease"), strict("icnrease")) == ("icnrease", "increase")   # "in" may reverse a meaning


def test_the_thresholds_are_parameters():
    assert Corrector(WORDS, shortest=5)("teh") == "teh"
    assert Corrector(WORDS, similar=0.95)("brigten") == "brigten"


def test_a_corrector_can_be_pickled_for_worker_processes():
    correct = Corrector(WORDS)
    correct("brigten")
    assert pickle.loads(pickle.dumps(correct))("contarst") == "contrast"


def test_misspelt_words_stay_close_to_the_intended_ones():
    rng = np.random.default_rng(8)
    sentence = "Brighten the café photo slightly, by 10%"
    slips = {misspell(sentence, rng) for _ in range(200)}
    assert len(slips) > 50
    assert all(slip.endswith("by 10%") and slip.split()[1] == "the" for slip in slips)
    assert all(abs(len(slip) - len(sentence)) <= 2 and slip[0] == "B" for slip in slips)
    assert misspell("be it so", rng) == "be it so"


def test_most_slips_are_corrected():
    rng, correct = np.random.default_rng(1), Corrector(WORDS)
    found = [correct(misspell(word, rng)) == word for word in ("brighten", "contrast", "saturated") for _ in range(100)]
    assert sum(found) > 0.9 * len(found)


@pytest.mark.parametrize(("slip", "word"), [
    ("brihgter", "brighter"), ("bule", "blue"), ("contrst", "contrast"), ("darrker", "darker"),
    ("brughter", "brighter"), ("blueee", "blue"), ("contrast", "contrast")])
def test_a_slip_of_the_keys_is_corrected(slip, word):
    assert SlipCorrector(["brighter", "blue", "contrast", "darker", "tilts"])(slip) == word


def test_letters_in_any_order_between_the_first_and_the_last_are_a_slip():
    correct = SlipCorrector(["brightness", "sharp", "sharpen", "angle"])
    assert [correct(word) for word in ("britghness", "birghtnses", "sharpn", "agnle")] == [
        "brightness", "brightness", "sharpen", "angle"]
    assert correct("sserthgbrin") == "sserthgbrin"


@pytest.mark.parametrize("word", ["tiles", "contest", "form", "bl"])
def test_a_word_that_only_looks_alike_is_left_alone(word):
    assert SlipCorrector(["tilts", "contrast", "from", "blue"], ordinary=["form"])(word) == word
