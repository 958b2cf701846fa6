"""The rules of obedience, tried with editors that obey, do nothing, do the opposite, or always do the same."""
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.colour import to_linear, to_srgb
from core.datasets import tokenize
from core.files import UserError
from core.metrics.attributes import ATTRIBUTES
from core.metrics.obedience import (
    JUST_VISIBLE,
    KEPT,
    NO_OP,
    RULES,
    Item,
    Outcome,
    judge_photo,
    preservation,
    read_asks,
    read_items,
    summarise,
)
from core.operators import Plan, Step, execute
from core.operators.changes import scale
from core.requests.grammar import describe
from core.requests.phrases import WORDS
from core.requests.wish import LEVELS, Wish

SENTENCES = Path(__file__).resolve().parents[2] / "data/obedience/sentences.toml"
ITEMS = read_items(SENTENCES)
WARM = [1.15] * 4 + [0.85] * 4 + [1] * 8 + [0.85] * 4 + [1.15] * 4   # lighter red, darker blue midtones
COOL = WARM[16:] + WARM[8:16] + WARM[:8]
STEPS = {("bright", 1): ("brightness", [0.15]), ("bright", -1): ("brightness", [-0.15]),
         ("contrast", 1): ("contrast", [0.8]), ("contrast", -1): ("contrast", [-0.8]),
         ("sat", 1): ("saturation", [0.6]), ("sat", -1): ("saturation", [-0.5]),
         ("warm", 1): ("hue", WARM), ("warm", -1): ("hue", COOL),
         ("sharp", 1): ("sharpness", [0.3]), ("sharp", -1): ("sharpness", [-0.12])}
CASTS = {"red": (1, 1), "orange": (1, 0.5), "yellow": (1, 0), "green": (0, -1), "aqua": (-1, -1), "blue": (-1, 0),
         "purple": (-1, 1), "magenta": (0, 1)}   # directions of temperature and of green-magenta
STEPS |= {(f"{name}_cast", sign): ("white_balance", [sign * warm, sign * tint])
          for name, (warm, tint) in CASTS.items() for sign in (1, -1)}
MEASURED = [item for item in ITEMS if item.suite != "amounts"]   # amounts need another plan on every photo
BRIGHTER = Plan((Step.make("brightness", [0.3]),))


def plan_of(asks, strength=1.0):
    return scale(Plan(tuple(Step.make(*STEPS[wish]) for wish in asks.items())), strength)


def oracle(items, sign=1):
    """Return {sentence: the plan that obeys it}; with sign -1, the plan that does the opposite."""
    plans = {}
    for item in items:
        asks = {name: sign * value for name, value in item.asks.items()}
        opposite = {name: -value for name, value in asks.items()}
        partners = {"opposites": plan_of(opposite), "degree": plan_of(asks, 1.3)}
        plans[item.sentence] = plan_of(asks, 0.5 if item.suite == "degree" else 1)
        plans[item.partner] = partners.get(item.suite, plan_of(asks))
    return plans


def shares(items, image, plan_for):
    """Return {suite: share of right answers} of an editor that executes `plan_for(sentence)`."""
    right, *_ = judge_photo(items, image, lambda requests: [execute(plan_for(request), image) for request in requests])
    return {row["suite"]: row["share"] for row in summarise(items, right[None]) if row["asked_for"] is None}


def one_per_direction(items):
    """Return one item of each kind, because the rules depend on the edit and not on the wording."""
    return list({(item.suite, item.direction, item.keeps): item for item in items}.values())


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo(seed=3)).permute(2, 0, 1).float() / 255 * 0.7 + 0.1


def outcome(change=0.05, **moves):
    return Outcome(dict.fromkeys(ATTRIBUTES, 0.0) | moves, change)


# Whole editors

def test_an_editor_that_obeys_is_right_everywhere(image):
    items = one_per_direction(MEASURED)
    found = shares(items, image, oracle(items).get)
    assert found.pop("many_wishes") > 0.8   # the steps of four wishes work against each other
    assert found == dict.fromkeys(("direction", "opposites", "degree", "negation", "two_wishes", "casts", "paraphrase",
                                   "typo", "no_op"), 1.0)


@pytest.mark.parametrize("plans", ["identity", "inverse"])
def test_an_editor_that_does_nothing_or_the_opposite_is_right_only_for_no_op(image, plans):
    items = one_per_direction(MEASURED)
    found = shares(items, image, oracle(items, -1).get if plans == "inverse" else lambda request: Plan())
    assert found.pop("no_op") == 1
    assert set(found.values()) == {0.0}


def test_an_editor_that_always_brightens_is_right_in_at_most_half(image):
    found = shares(MEASURED, image, lambda request: BRIGHTER)
    assert found["opposites"] == found["degree"] == found["no_op"] == 0
    assert all(found[suite] <= 0.5 for suite in ("direction", "negation", "two_wishes", "paraphrase", "typo"))
    assert found["direction"] > 0   # right for requests to brighten


def test_no_fixed_edit_is_right_in_more_than_half():
    """A fixed edit moves an attribute in one direction at most, but sentences ask for both directions equally often."""
    for suite, bound in {"direction": 0.5, "negation": 0.5, "paraphrase": 0.5, "typo": 0.5, "two_wishes": 0.34}.items():
        asked = [item.asks for item in ITEMS if item.suite == suite]
        for signs in product((1, -1), repeat=len(ATTRIBUTES)):
            moved = dict(zip(ATTRIBUTES, signs, strict=True))
            assert sum(asks.items() <= moved.items() for asks in asked) <= bound * len(asked)


def test_a_plain_exposure_or_contrast_does_not_count_as_sharper(image):
    items = [Item("direction", "sharpen it", {"sharp": 1})]
    for op in ("exposure", "contrast"):
        plan = Plan((Step.make(op, [0.3]),))
        assert shares(items, image, {"sharpen it": plan}.get) == {"direction": 0}


def test_each_sentence_is_executed_once_and_in_small_batches(image):
    calls = []

    def edit(requests):
        calls.append(requests)
        return [image] * len(requests)

    items = [Item("opposites", "up", {"bright": 1}, "down"), Item("degree", "up", {"bright": 1}, "far up"),
             Item("no_op", "stay")]
    right, change, spilled = judge_photo(items, image, edit, batch=2)
    assert calls == [["up", "down", "far up"], ["stay"]]
    assert right.tolist() == [False, False, True]
    assert change.tolist() == spilled.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("asks", "amount", "ratio"), [
    ({"bright": 1}, {"stops": 0.5}, 2 ** 0.5), ({"bright": -1}, {"stops": 1}, 0.5),
    ({"bright": 1}, {"percent": 10}, 1.1), ({"bright": -1}, {"percent": 30}, 0.7)])
def test_an_amount_counts_within_a_quarter(asks, amount, ratio, image):
    image = image * 0.7   # room for half a stop
    item = Item("amounts", "by this much", asks, **amount)
    for share, is_right in ((1, 1), (0.85, 1), (1.15, 1), (0.6, 0), (1.5, 0), (-1, 0)):
        edited = to_srgb(to_linear(image) * (1 + share * (ratio - 1)))
        assert judge_photo([item], image, lambda requests, edited=edited: [edited])[0].tolist() == [is_right]


def test_a_photo_that_would_clip_does_not_count_for_amounts(image):
    assert shares([Item("amounts", "two stops", {"bright": 1}, stops=2)], image, lambda request: Plan()) == {
        "amounts": None}


def test_preservation_is_the_move_of_attributes_that_nobody_asked_to_move():
    items = [Item("direction", "a", {"bright": 1}), Item("two_wishes", "b", {"bright": 1, "sat": 1}),
             Item("no_op", "c")]
    moved = outcome(bright=8, contrast=-2, sat=2)
    assert [moved.spilled(item.asks) for item in items] == [1, pytest.approx(2 / 3), pytest.approx(12 / 5)]
    found = preservation(items, np.array([[1, 3, 9], [2, 4, 9]]))
    assert (found["mean"], found["photos"]) == (2.5, [2, 3])
    assert preservation(items[2:], np.array([[9], [9]])) is None


# Rules at their thresholds

def judged(item, *outcomes, apart=None):
    return RULES[item.suite](item, *outcomes, *[None] * (2 - len(outcomes)), apart)


def test_a_move_counts_from_one_just_visible_step():
    item = Item("direction", "", {"bright": -1})
    assert judged(item, outcome(bright=-1))
    assert not judged(item, outcome(bright=-0.99))
    assert not judged(item, outcome(bright=5))
    both = Item("two_wishes", "", {"bright": 1, "sat": -1})
    assert judged(both, outcome(bright=1, sat=-1, contrast=9))   # contrast is not asked for, so it may move
    assert not judged(both, outcome(bright=1, sat=0))


def test_a_stronger_word_must_move_visibly_further_and_a_weaker_must_keep_the_direction():
    item = Item("degree", "", {"warm": -1}, "partner")
    assert judged(item, outcome(warm=-0.5), outcome(warm=-1.5))
    assert not judged(item, outcome(warm=-1), outcome(warm=-1.9))
    assert not judged(item, outcome(warm=0.1), outcome(warm=-3))
    assert not judged(item, outcome(warm=-3), outcome(warm=-1))


def test_a_kept_attribute_may_move_little_further_than_without_the_proviso():
    item = Item("negation", "", {"contrast": 1}, "without", ("bright",))
    plain = outcome(contrast=4, bright=-3)
    assert judged(item, outcome(contrast=4, bright=-3 - KEPT), plain)
    assert judged(item, outcome(contrast=4, bright=3), plain)
    assert not judged(item, outcome(contrast=4, bright=3.1 + KEPT), plain)
    assert not judged(item, outcome(contrast=0, bright=0), plain)


def test_wordings_must_agree_and_obey():
    item = Item("typo", "", {"sat": 1}, "clean")
    clean = outcome(0.1, sat=4)
    assert judged(item, outcome(sat=2), clean, apart=0.05)
    assert not judged(item, outcome(sat=2), clean, apart=0.051)
    assert not judged(item, outcome(0, sat=0), outcome(0), apart=0)   # equal, because neither edit does anything


def test_no_op_allows_only_an_invisible_change():
    assert judged(Item("no_op", ""), outcome(NO_OP * 0.99, bright=3))
    assert not judged(Item("no_op", ""), outcome(NO_OP))


@given(st.dictionaries(st.sampled_from(list(ATTRIBUTES)), st.sampled_from((1, -1)), min_size=1),
       st.lists(st.floats(-20, 20), min_size=5, max_size=5))
def test_no_outcome_obeys_a_wish_and_its_opposite(asks, moves):
    moved = outcome(**dict(zip(ATTRIBUTES, moves, strict=True)))
    opposite = {name: -sign for name, sign in asks.items()}
    assert not (judged(Item("direction", "", asks), moved) and judged(Item("direction", "", opposite), moved))


def test_every_attribute_has_a_just_visible_step():
    assert list(JUST_VISIBLE) == [*ATTRIBUTES, *(f"{name}_cast" for name in CASTS)]
    assert min(JUST_VISIBLE.values()) > 0


# The summary

def test_shares_are_counted_by_suite_and_direction_with_an_interval_over_photos():
    items = [Item("direction", "a", {"bright": 1}), Item("direction", "b", {"sat": -1}), Item("no_op", "c")]
    right = np.array([[True, False, True], [True, True, True]])
    rows = {(row["suite"], row["asked_for"]): row for row in summarise(items, right)}
    assert list(rows) == [("direction", None), ("direction", "bright+"), ("direction", "sat-"), ("no_op", None)]
    assert (rows["direction", None]["right"], rows["direction", None]["asked"]) == (3, 4)
    assert rows["direction", "sat-"]["interval"] == [0, 1]
    assert rows["no_op", None]["interval"] == [1, 1]
    assert summarise(items, right[:1])[0]["interval"] is None


# The sentences

def test_there_are_enough_sentences_and_none_twice_in_a_suite():
    assert len(ITEMS) >= 300
    assert {item.suite for item in ITEMS} == set(RULES) - {"direction_real", "labelled"}
    assert {sign for item in ITEMS for sign in item.asks.items()} == set(STEPS)
    counts = Counter((item.suite, item.sentence.lower()) for item in ITEMS)
    assert [key for key, count in counts.items() if count > 1] == []
    assert all(len(tokenize(sentence)) <= 15 for item in ITEMS for sentence in item.sentences)   # planners read 15


def test_the_readme_counts_them():
    readme = (SENTENCES.parent / "README.md").read_text()
    for suite, count in Counter(item.suite for item in ITEMS).items():
        row, = (line for line in readme.splitlines() if line.startswith(f"| `{suite}` |"))
        assert row.endswith(f"| {count} |")
    assert f"{len(ITEMS)} items, {len({text for item in ITEMS for text in item.sentences})} different" in readme


def test_few_sentences_are_also_requests_of_the_training_grammar():
    rng, made = np.random.default_rng(0), set()
    for _ in range(20_000):
        directions = [list(WORDS)[index] for index in rng.choice(len(WORDS), rng.integers(1, 3), replace=False)]
        wishes = [Wish(*direction, LEVELS[rng.integers(3)] if WORDS[direction].adjectives else "plain")
                  for direction in directions]
        made.add(" ".join(tokenize(describe(wishes, rng))))
    judged_only = {" ".join(tokenize(item.sentence)) for item in ITEMS}
    everything = {" ".join(tokenize(text)) for item in ITEMS for text in item.sentences}
    assert len(judged_only & made) < 0.05 * len(judged_only)
    assert len(everything & made) < 0.05 * len(everything)


@pytest.mark.parametrize(("text", "sentence"), [
    ("[direction", "malformed TOML"),
    ("", "holds no sentences"),
    ("[mood]\n'bright+' = ['x']", "[mood] is not a suite"),
    ("direction = 3", "[direction] is not a suite"),
    ("[direction]\n'bright' = ['x']", "[direction] 'bright': must be 'nothing' or attributes with a sign"),
    ("[direction]\n'joy+' = ['x']", "known are: bright, contrast, sat, warm, sharp"),
    ("[direction]\n'bright+' = 'x'", "[direction] 'bright+': must be a list of sentences"),
    ("[direction]\n'bright+' = ['x', ' ']", "'bright+', entry 2: must be a sentence"),
    ("[degree]\n'bright+' = ['x']", "'bright+', entry 1: must be a pair of sentences"),
    ("[negation]\n'bright+' = [{sentence = 'x', keeps = ['joy'], without = 'y'}]", "entry 1: needs sentence, keeps"),
])
def test_a_file_that_cannot_be_understood_is_refused_by_name(tmp_path, text, sentence):
    path = tmp_path / "sentences.toml"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_items(path)
    assert str(path) in str(error.value)
    assert sentence in str(error.value)


def test_a_key_is_parsed_into_attributes_and_signs():
    assert read_asks("bright+ sat-", "") == {"bright": 1, "sat": -1}
    assert Item("two_wishes", "", {"bright": 1, "sat": -1}).direction == "bright+ sat-"
    assert read_asks("nothing", "") == {}
