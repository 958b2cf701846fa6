"""Methods that learn nothing: what each chooses, among true segments of a drawn scene."""
import numpy as np
import pytest
import torch

from core.datasets.grounding import Query
from core.datasets.proposals import Proposals
from core.evaluation.grounding import BASELINES, Picture, Scene, baselines, names_in, place_in, score
from core.regions.mask import Mask

NAMES = ("dog", "dog", "sky")
ARRAYS = np.zeros((3, 20, 40), bool)
ARRAYS[0, 10:, :6], ARRAYS[1, 10:, 25:], ARRAYS[2, :8] = True, True, True


@pytest.fixture()
def scene():
    """Return `scene(words, ids, **fields)`: a Scene with a small dog, a large one and a sky."""
    def make(words, ids, **fields):
        query = Query("a.png", words, ids, **fields)
        picture = Picture(Proposals("a.png", tuple(map(Mask.from_array, ARRAYS)), NAMES), None)
        picture.photo = torch.full((3, 20, 40), 0.5)
        return Scene(query, picture, query.truth(ARRAYS))
    return make


def chosen(answer):
    return np.flatnonzero(answer.confidence > 0.5).tolist()


def test_each_baseline_chooses_by_its_rule(scene):
    one, methods = scene("brighten the left dog", (0,), operator="brightness"), baselines(BASELINES)
    found = {name: chosen(method(one)) for name, method in methods.items()}
    assert found["largest"] == [2] and found["class name"] == [0, 1] and found["all things"] == [0, 1]
    assert found["oracle"] == found["rules"] == [0] and len(found["random"]) == 1


def test_rules_read_everything_but_and_refuse_what_is_not_there(scene):
    rules = baselines(["rules"])["rules"]
    assert chosen(rules(scene("everything but the sky", (2,), exclusive=True))) == [0, 1]
    refused = rules(scene("the cat", (0,)))
    assert not refused.mask.any() and not refused.scores.any()


def test_the_place_of_a_request_is_that_of_its_last_local_wish():
    assert place_in(Query("a", "make the sky darker and brighten the dog", (0,), "brightness")).name == "dog"
    assert place_in(Query("a", "brighter", (0,), "brightness")) is None
    assert {"dog", "sky"} <= names_in("the puppy under the sky")


def test_a_row_counts_the_pixels_of_the_union_of_the_chosen_segments(scene):
    one = scene("the dogs", (0, 1))
    row = score(one, one.query.labels(3), baselines(["all things"])["all things"](one), 0.5)
    assert row["intersection"] == row["union"] == ARRAYS[:2].sum() and row["F1"] == 1.0
