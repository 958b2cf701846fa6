"""Local wishes: the region is edited, and nothing else."""
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.datasets import WordVocab
from core.datasets.vocab import SPECIAL
from core.finding.finder import NotFound
from core.finding.things import BOX
from core.methods.gate import Gate, Refusal
from core.methods.local import LocalGate
from core.methods.mend import UNASKED
from core.methods.planner import Edited, as_result
from core.metrics.attributes import MEASURES
from core.operators import Mask, Plan, Step
from core.regions.segments import Segment, filled
from core.requests.places import Place
from core.requests.reader import Reading
from core.requests.wish import SOMEWHERE, Wish

SIZE = 48, 64


class Planner:
    """A planner that answers every request with no step, so that the keyword plan serves all wishes."""

    operators, vocab, unasked = (), WordVocab((*SPECIAL, "make")), UNASKED

    def plans(self, image, requests):
        return [Edited(image, Plan()) for _ in requests]


class Halves:
    """A finder that knows a dog in the left half and a sky in the upper quarter."""

    def __init__(self, photo):
        self.places = []
        dog, sky = np.zeros(SIZE, np.float32), np.zeros(SIZE, np.float32)
        dog[:, :32], sky[:12] = 1, 1
        self.known = {"dog": Segment("dog", dog, 0.8, "detector", True), "sky": Segment("sky", sky)}

    def find(self, place: Place):
        names = [part.name for part in place.but] or [place.name]
        if names[0] not in self.known:
            raise NotFound(f"no {names[0]} was found")
        found = self.known[names[0]]
        return replace(found, mask=1 - found.mask) if place.but else found

    def segments(self):
        return list(self.known.values())


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo(*SIZE)).permute(2, 0, 1) / 255 * 0.6 + 0.2


def gate(**options):
    return LocalGate(Gate(Planner()), finder=Halves, **options)


def moved(image, answer):
    """Return the mean change of the left and the right half, away from the border between them."""
    change = (answer.image - image).mean(0)
    return change[16:, :26].mean().item(), change[16:, 38:].mean().item()


def test_a_region_is_edited_and_other_pixels_keep_their_bits(image):
    answer = gate()(image, "brighten the dog")
    inside, _ = moved(image, answer)
    assert inside > 0.02
    assert torch.equal(answer.image[:, :, 38:], image[:, :, 38:])
    assert [step.mask.region for step in answer.plan] == ["the dog"] * len(answer.plan)
    assert answer.plan.to_dict()["version"] == 2
    assert [outcome.granted for outcome in answer.outcomes] == [True]
    assert answer.notes == ['region "the dog": dog (detector), 50.0% of the picture']


def test_each_clause_has_its_own_region(image):
    answer = gate()(image, "make the sky darker and brighten the dog")
    assert [step.mask.region for step in answer.plan] == ["the sky", "the dog"]
    change = (answer.image - image).mean(0)
    assert change[:10, 38:].mean() < -0.02
    assert change[14:, :26].mean() > 0.02
    assert change[14:, 38:].abs().max() == 0


def test_a_wish_for_the_whole_photo_stands_beside_a_local_one(image):
    answer = gate()(image, "make it warmer and brighten the dog")
    assert [step.mask and step.mask.region for step in answer.plan] == [None, "the dog"]
    assert [outcome.granted for outcome in answer.outcomes] == [True, True]


def test_everything_else_is_edited_around_an_exception(image):
    left, right = moved(image, gate()(image, "darken everything except the dog"))
    assert (left, right < -0.02) == (0, True)


@pytest.mark.parametrize("request_text", ["brighten the zebra", "make it warmer and brighten the zebra"])
def test_a_region_that_is_missing_refuses_the_request(request_text, image):
    with pytest.raises(Refusal, match="no zebra was found") as refusal:
        gate()(image, request_text)
    assert refusal.value.code == 3


def test_a_missing_region_can_mean_the_whole_photo(image):
    answer = gate(on_missing="global")(image, "brighten the zebra")
    assert [step.mask for step in answer.plan] == [None] * len(answer.plan)
    assert min(moved(image, answer)) > 0.02
    assert answer.notes == ["no zebra was found; the whole photo was edited instead"]


def test_the_user_can_choose_another_region(image):
    asked = []

    def ask(words, sentence, segments):
        asked.append((words, sentence, [segment.name for segment in segments]))
        return segments[0]
    answer = gate(on_missing="ask", ask=ask)(image, "brighten the zebra")
    assert asked == [("the zebra", "no zebra was found", ["dog", "sky"])]
    assert moved(image, answer)[1] == 0
    with pytest.raises(Refusal, match="no zebra was found"):
        gate(on_missing="ask", ask=lambda *question: None)(image, "brighten the zebra")


def test_a_region_of_the_flags_is_for_wishes_without_a_place(image):
    answer = gate(region="the dog")(image, "brighten it and make the sky darker")
    assert [step.mask.region for step in answer.plan] == ["the dog", "the sky"]


def test_a_wish_for_a_part_that_the_request_does_not_name_changes_no_whole_photo(image):
    unnamed = Wish("light", where=SOMEWHERE)
    with pytest.raises(Refusal, match="names none that LDIE knows"):
        gate()(image, "brighten it", Reading((unnamed,)))
    answer = gate()(image, "brighten it, more contrast", Reading((unnamed, Wish("contrast"))))
    assert {outcome.wish.attribute for outcome in answer.outcomes} == {"contrast"}
    assert any("names none" in note for note in answer.notes)
    answer = gate(region="the dog")(image, "brighten it", Reading((unnamed,)))
    assert [step.mask.region for step in answer.plan] == ["the dog"]
    answer = gate(on_missing="ask", ask=lambda words, sentence, segments: segments[0])(
        image, "brighten it", Reading((unnamed,)))
    left, right = moved(image, answer)
    assert (left > 0.02, right) == (True, 0)


def test_an_earlier_mask_can_be_edited_again(image):
    mask = gate()(image, "brighten the dog").plan.steps[0].mask
    answer = gate().within(mask)(image, "make it warmer")
    assert [step.mask for step in answer.plan] == [mask]


def test_a_slight_edit_is_visible_inside_a_soft_edge():
    strip = np.zeros(SIZE, np.float32)
    strip[:, 30:32] = 1
    picture = torch.full((3, *SIZE), 0.5)
    finder = Halves(picture)
    finder.known["dog"] = Segment("dog", strip, 0.8, BOX, True)   # its edge is wider than the strip
    answer = LocalGate(Gate(Planner()), finder=lambda photo: finder)(picture, "brighten the dog a touch")
    before, after = (MEASURES["light"].of(filled(image, torch.from_numpy(strip))[None]).item()
                     for image in (picture, answer.image))
    assert after - before >= 2 * MEASURES["light"].visible
    assert answer.outcomes[0].granted


def test_permuted_masks_move_the_edit(image):
    class Swapped(Halves):
        def find(self, place):
            found = super().find(place)
            return replace(found, mask=np.ascontiguousarray(found.mask[:, ::-1]))
    left, right = moved(image, LocalGate(Gate(Planner()), finder=Swapped)(image, "brighten the dog"))
    assert (left, right > 0.02) == (0, True)


def test_the_picture_of_a_region_repeats_its_pixels():
    image = torch.arange(3 * 4 * 6, dtype=torch.float32).reshape(3, 4, 6)
    mask = torch.zeros(4, 6)
    mask[1, 1:3], mask[2, 1] = 1, 1
    picture = filled(image, mask)
    assert picture.shape == (3, 2, 2)
    assert torch.equal(picture[:, 0], image[:, 1, 1:3])
    assert torch.equal(picture[:, 1, 0], image[:, 2, 1])
    assert picture[0, 1, 1] in (image[0, 2, 1], image[0, 1, 2])   # the nearest pixels inside
    assert torch.equal(filled(image, torch.zeros(4, 6)), image)


def test_a_plan_with_a_mask_is_executed_inside_only(image):
    mask = Mask.from_array(np.eye(48, 64), feather=0.01, region="a line")
    answer = Edited(image, Plan((Step.make("exposure_soft", 1.0, mask),)))
    untouched = mask.tensor(*SIZE)[0] == 0
    assert torch.equal(answer.image[:, untouched[0]], image[:, untouched[0]])


def test_a_turn_of_a_part_is_refused_and_a_turn_of_the_photo_is_not(image):
    with pytest.raises(Refusal, match="rotate: is done for whole photos only"):
        gate()(image, "rotate the dog")
    assert [step.op for step in gate()(image, "rotate the photo of the dog").plan] == ["rotate"]


def test_a_page_shows_the_mask_of_a_step(image):
    step, = as_result("photo", "brighten the dog", gate()(image, "brighten the dog"))["steps"]
    assert step["mask"].shape == SIZE
    assert (step["mask"][:, :26].min(), step["mask"][:, 38:].max()) == (1, 0)
