"""Sentences for a part of a photo: they hold its words, and their verbs agree with them."""
import re

import numpy as np
import pytest

from core.requests.local_sentences import CUT_OUT, KEEP, REMOVE, WHITE, ask, describe_local
from core.requests.wish import Wish
from core.synthesis.edits import LOCAL_EDITS

SINGULAR, PLURAL = ("is", "looks", "needs", "has", "lacks", "feels"), ("are", "look", "need", "have", "lack", "feel")


def sentences(words, *before, count=150):
    rng = np.random.default_rng(0)
    return [describe_local([*before, Wish(*LOCAL_EDITS[number % len(LOCAL_EDITS)], where=words)], rng)
            for number in range(count)]


@pytest.mark.parametrize("before", [(), (Wish("sharpness", 1),)])
def test_every_sentence_holds_the_words_of_the_part(before):
    assert all("the old dog" in said.lower() for said in sentences("the old dog", *before))


@pytest.mark.parametrize(("words", "right", "wrong"), [
    ("the dog", SINGULAR, PLURAL), ("both dogs", PLURAL, SINGULAR), ("all the bowls", PLURAL, SINGULAR),
    ("the plants", PLURAL, SINGULAR), ("everything but the dogs", SINGULAR, PLURAL)])
def test_verbs_agree_with_the_words(words, right, wrong):
    def begun(verbs):
        return [said for said in sentences(words) if re.match(rf"{words} ({'|'.join(verbs)})\b", said, re.IGNORECASE)]
    assert begun(right)
    assert begun(wrong) == []


def test_a_verb_of_another_noun_stays():
    assert not any("are what i want" in said for said in sentences("the plants", count=600))


def test_a_change_is_on_a_thing_and_in_the_sky():
    assert any(said.endswith("on the dog") for said in sentences("the dog"))
    assert not any(" in the dog" in said for said in sentences("the dog"))
    assert any(said.endswith("in the sky") for said in sentences("the sky"))


@pytest.mark.parametrize("forms", [REMOVE, CUT_OUT, KEEP, WHITE])
def test_other_forms_are_filled(forms):
    rng = np.random.default_rng(0)
    said = [ask(forms, rng, "the red car") for _ in range(60)]
    assert all(("the red car" in one.lower()) == (forms is not WHITE) for one in said)
    assert len({one.lower() for one in said}) == len(forms)
