"""The choice of segments by a Place: class, colour, position, order, size, count, relation, exceptions, refusals."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_regions import BALLS, BOX, COLOURS, SIDE, Shape, draw

from core.datasets import to_tensor
from core.finding.choose import choose, mask_of, masked, plural
from core.finding.traits import RELATIONS, Seen, fit
from core.regions.segments import Segment
from core.requests.places import RELATIONS as RELATION_NAMES
from core.requests.places import Place

BALL = "sports ball"


def scene(*shapes):
    """Return (image, the segments of the shapes in their order, then sky and ground) of a drawn scene."""
    photo, ids, infos = draw(shapes)
    masks = {info["id"]: np.float32(ids == info["id"]) for info in infos}
    things = [Segment(shape.name, masks[256 * number], 0.9, "truth", True) for number, shape in enumerate(shapes, 1)]
    return to_tensor(photo), [*things, Segment("sky", masks[70000]), Segment("plants", masks[1000])]


IMAGE, SEGMENTS = scene(*BALLS, BOX)
RED, BLUE, YELLOW, WHITE_BOX, SKY, PLANTS = SEGMENTS
SUBJECT = Segment("subject", BLUE.mask, 0.8, "subject mask")


def chosen(place, segments=SEGMENTS, image=IMAGE):
    return choose(place, segments, image).segments


@pytest.mark.parametrize(("place", "meant"), [
    (Place("suitcase"), [WHITE_BOX]),
    (Place("sky", "stuff"), [SKY]),
    (Place(BALL, colour="red"), [RED]),
    (Place(BALL, colour="yellow"), [YELLOW]),
    (Place(BALL, positions=("left",)), [RED]),
    (Place(BALL, positions=("right",)), [YELLOW]),
    (Place(BALL, positions=("middle",)), [BLUE]),
    (Place(BALL, positions=("bottom",)), [BLUE]),
    (Place(BALL, positions=("top",)), [YELLOW]),
    (Place(BALL, positions=("front",)), [BLUE]),
    (Place(BALL, positions=("back",)), [YELLOW]),
    (Place(BALL, positions=("top", "right")), [YELLOW]),
    (Place(BALL, positions=("left",), order=2), [BLUE]),
    (Place(BALL, positions=("right",), order=3), [RED]),
    (Place(BALL, size=1), [BLUE]),
    (Place(BALL, size=-1, positions=("left",)), [RED]),
    (Place(BALL, count=None), [BLUE, RED, YELLOW]),
    (Place(BALL, count=2, size=-1), [RED, YELLOW]),
    (Place(BALL, count=None, positions=("left",)), [RED]),
    (Place(BALL, count=None, colour="blue"), [BLUE]),
    (Place(BALL, relation="near", to=Place("suitcase")), [YELLOW]),
    (Place(BALL, relation="near", to=Place("suitcase", colour="white")), [YELLOW]),
    (Place("suitcase", relation="below", to=Place(BALL, positions=("right",))), [WHITE_BOX]),
    (Place(BALL, relation="behind", to=Place("suitcase")), [YELLOW]),
    (Place("suitcase", positions=("left",), relation="near", to=Place(BALL, colour="yellow")), [WHITE_BOX]),
    (Place(BALL, positions=("left",), relation="near", to=Place("suitcase")), [BLUE]),   # to the left of the suitcase
    (Place("suitcase", also=(Place(BALL, colour="red"),)), [WHITE_BOX, RED]),
    (Place("sky", "unknown"), [SKY]),   # a segment of that name, whatever the reader knows
])
def test_the_segments_that_the_words_mean(place, meant):
    found = chosen(place)
    assert sorted(map(id, found)) == sorted(map(id, meant))


def test_one_of_several_without_a_trait_is_the_largest_and_the_rest_is_told():
    choice = choose(Place(BALL), SEGMENTS, IMAGE)
    assert choice.segments == (BLUE,)
    assert {id(other) for other in choice.others} == {id(RED), id(YELLOW)}
    assert choice.remark == "3 sports balls fit: took the largest; say 'all sports balls' or 'the left sports ball'"


def test_two_equal_candidates_are_named():
    image, (left, right, *_) = scene(Shape(BALL, 24, 64, 10, "red"), Shape(BALL, 71, 64, 10, "red"))
    choice = choose(Place(BALL, colour="red"), [left, right], image)
    assert len(choice.segments) == len(choice.others) == 1
    assert "2 sports balls fit" in choice.remark and "'both sports balls'" in choice.remark
    assert choice.score < 0.6 * left.score
    assert choose(Place(BALL, colour="red", positions=("left",)), [left, right], image).remark is None


@pytest.mark.parametrize(("place", "words"), [
    (Place("dog"), "no dog was found"),
    (Place("logo", "unknown"), "'logo' is not among the things"),
    (Place(BALL, colour="purple"), "no purple sports ball was found; the 3 sports balls have other colours"),
    (Place("suitcase", colour="red"), "the only suitcase has another colour"),
    (Place("suitcase", positions=("left",)), "the only suitcase that was found is not on the left"),
    (Place(BALL, positions=("left",), order=4), "only 3 sports balls were found"),
    (Place(BALL, relation="near", to=Place("dog")), "no dog was found, so it is not clear which sports ball"),
    (Place("suitcase", relation="above", to=Place("sky", "stuff")), "no suitcase is above the sky"),
    (Place("photo", "photo", but=(Place("dog"),)), "no dog was found"),
    (Place("suitcase", also=(Place("dog"),)), "no dog was found"),
    (Place("suitcase", but=(Place("suitcase"),)), "nothing is left of the suitcase"),
    (Place("magenta", "colour"), "the photo has no magenta"),
    (Place("subject", "subject"), "no main subject was found"),
    (Place("background", "background"), "no main subject was found"),
    (Place("background", "background", to=None), "no main subject was found"),
])
def test_what_does_not_fit_is_refused_with_the_reason(place, words):
    choice = choose(place, SEGMENTS, IMAGE)
    assert choice.segments == () and choice.score == 0
    assert words in choice.remark
    assert masked(choice, place, IMAGE) is None


def test_fewer_things_than_asked_for_are_taken_and_told():
    choice = choose(Place("suitcase", count=2), SEGMENTS, IMAGE)
    assert choice.segments == (WHITE_BOX,)
    assert choice.remark == "only 1 suitcase was found"


def test_a_reference_that_is_not_there_does_not_matter_for_an_only_thing():
    choice = choose(Place("suitcase", relation="near", to=Place("dog")), SEGMENTS, IMAGE)
    assert choice.segments == (WHITE_BOX,)
    assert choice.remark == "no dog was found; took the only suitcase"


def test_specks_are_not_meant():
    image, segments = scene(Shape(BALL, 40, 64, 20, "red"), Shape(BALL, 10, 60, 1, "blue"),
                            Shape(BALL, 90, 60, 1, "blue"))
    large, left, right, *_ = segments
    assert chosen(Place(BALL, positions=("left",)), segments, image) == (large,)
    assert chosen(Place(BALL, positions=("right",)), segments, image) == (right,)   # the large one is not there
    assert chosen(Place(BALL, count=None), segments, image) == (large,)
    assert choose(Place(BALL), segments, image).remark is None
    assert chosen(Place(BALL, size=-1, positions=("left",)), segments, image) == (left,)


# ------------------------------------------------------------ masks

def mask(place, segments=(*SEGMENTS, SUBJECT)):
    return mask_of(choose(place, segments, IMAGE), SIDE, SIDE)


def test_masks_are_united_subtracted_and_completed():
    everything = Place("photo", "photo")
    assert np.array_equal(mask(replace(everything, but=(Place("sky", "stuff"),))), 1 - SKY.mask)
    assert np.array_equal(mask(replace(everything, but=(Place("sky", "stuff"), Place("suitcase")))),
                          1 - SKY.mask - WHITE_BOX.mask)
    assert np.array_equal(mask(Place("sky", "stuff", also=(Place("plants", "stuff"),))), SKY.mask + PLANTS.mask)
    assert np.array_equal(mask(Place("background", "background")), 1 - BLUE.mask)
    assert np.array_equal(mask(Place(BALL, count=None, but=(Place(BALL, positions=("left",)),))),
                          BLUE.mask + YELLOW.mask)
    nested = Place("suitcase", also=(replace(everything, but=(Place("plants", "stuff"), Place("suitcase"))),))
    assert np.array_equal(mask(nested), 1 - PLANTS.mask)


def test_soft_masks_stay_soft():
    half = Segment("sky", np.full((SIDE, SIDE), 0.75, np.float32))
    assert mask(Place("photo", "photo", but=(Place("sky", "stuff"),)), [half]).max() == 0.25
    assert np.allclose(mask(Place("shadows", "tone", also=(Place("midtones", "tone"), Place("highlights", "tone")))), 1)


def test_of_two_things_of_one_size_the_surer_one_is_meant():
    left, right = np.zeros((2, SIDE, SIDE), np.float32)
    left[20:40, 10:32], right[20:40, SIDE - 30:SIDE - 10] = 1, 1
    sure, doubtful = Segment("dog", right, 0.9, thing=True), Segment("dog", left, 0.3, thing=True)
    assert np.array_equal(mask(Place("dog"), [doubtful, sure]), right)


def test_all_things_of_a_class_leave_out_doubtful_ones():
    boxes = np.zeros((3, SIDE, SIDE), np.float32)
    for index, box in enumerate(boxes):
        box[20:40, 10 + 30 * index:30 + 30 * index] = 1
    dogs = [Segment("dog", box, score, thing=True) for box, score in zip(boxes, (0.9, 0.5, 0.3), strict=True)]
    assert np.array_equal(mask(Place("dog", count=None), dogs), boxes[0] + boxes[1])


def test_pixels_that_may_belong_to_a_thing_are_left_out_with_it():
    dog = Segment("dog", np.full((SIDE, SIDE), 0.5, np.float32), thing=True)
    assert mask(Place("photo", "photo", but=(Place("dog"),)), [dog]).max() == 0


def test_a_margin_around_a_thing_is_left_out_with_it():
    image, box = torch.zeros(3, 200, 400), np.zeros((200, 400), np.float32)
    box[50:100, 100:200] = 1
    place = Place("photo", "photo", but=(Place("dog"),))
    left = masked(choose(place, [Segment("dog", box, thing=True)], image), place, image).mask
    assert not left[48:102, 100:200].any() and not left[50:100, 98:202].any() and left[45].all() and left[:, 205].all()
    place = Place("photo", "photo", but=(Place("sky", "stuff"),))
    assert np.array_equal(masked(choose(place, [Segment("sky", box)], image), place, image).mask, 1 - box)


def test_a_thing_is_found_without_the_shadow_that_is_named_with_it():
    choice = choose(Place("suitcase", also=(Place("shadow", "unknown"),)), SEGMENTS, IMAGE)
    assert choice.segments == (WHITE_BOX,) and choice.remark == "its shadow was not found"
    assert not choose(Place("suitcase", also=(Place("logo", "unknown"),)), SEGMENTS, IMAGE).segments


def test_regions_by_rule_within_a_place():
    dark = mask(Place("shadows", "tone", relation="in", to=Place("plants", "stuff")))
    assert dark.max() > 0 and not (dark * (1 - PLANTS.mask)).any()
    left = mask(Place("sky", "stuff", positions=("left",)))
    assert left[:, 70:].max() == 0 and left[5, 5] == 1 and left[80, 5] == 0
    corner = mask(Place("top", "area", positions=("top", "left")))
    assert corner[0, 0] == 1 and corner[0, -1] == corner[-1, 0] == 0


def test_a_segment_of_any_size_is_fitted_to_the_photo():
    small = [replace(segment, mask=fit(segment.mask, 48, 48)) for segment in SEGMENTS]
    choice = choose(Place(BALL, colour="red"), small, IMAGE)
    assert choice.segments == (small[0],)
    found = masked(choice, Place(BALL, colour="red", words="the red ball"), IMAGE)
    assert found.mask.shape == (SIDE, SIDE) and found.mask.dtype == np.float32
    assert (found.name, found.words, found.source, found.thing) == (BALL, "the red ball", "truth", True)
    assert abs(found.share - RED.share) < 0.005


def test_a_picture_of_one_pixel_and_empty_masks_are_no_error():
    image = torch.rand(3, 1, 1)
    pixel = Segment("dog", np.ones((1, 1), np.float32), thing=True)
    assert chosen(Place("dog", positions=("left",), colour=None), [pixel, replace(pixel)], image)
    assert chosen(Place("dog", relation="near", to=Place("dog")), [pixel, replace(pixel)], image)
    empty = replace(RED, mask=np.zeros_like(RED.mask))
    assert choose(Place(BALL), [empty], IMAGE).remark == "no sports ball was found"


# ------------------------------------------------------------ relations

def test_every_relation_has_a_measure_in_0_to_1():
    assert set(RELATIONS) == set(RELATION_NAMES)
    seen = [Seen(segment, SIDE, SIDE) for segment in SEGMENTS]
    for holds in RELATIONS.values():
        assert all(0 <= holds(one, other) <= 1 for one in seen for other in seen)


def test_relations_of_two_boxes_by_hand():
    _, (upper, lower, far, inner, *_) = scene(
        Shape("suitcase", 30, 60, 8, "red"), Shape("suitcase", 30, 77, 8, "blue"),
        Shape("suitcase", 85, 20, 6, "white"), Shape(BALL, 30, 77, 3, "yellow"))
    upper, lower, far, inner = (Seen(one, SIDE, SIDE) for one in (upper, lower, far, inner))
    for name, one, other in (("on", upper, lower), ("above", upper, lower), ("below", lower, upper),
                             ("in", inner, lower), ("behind", upper, lower), ("in front of", lower, upper),
                             ("near", upper, lower), ("holding", lower, inner)):
        assert RELATIONS[name](one, other) > 0.5, name
    for name, one, other in (("on", lower, upper), ("above", lower, upper), ("in", lower, inner), ("near", upper, far),
                             ("behind", lower, upper), ("holding", upper, far)):
        assert RELATIONS[name](one, other) < 0.2, name


# ------------------------------------------------------------ properties

SHAPES = st.lists(st.builds(Shape, st.sampled_from([BALL, "suitcase"]), st.integers(8, 88), st.integers(46, 88),
                            st.integers(3, 12), st.sampled_from(sorted(COLOURS))), min_size=1, max_size=5)
PLACES = st.builds(
    Place, st.sampled_from([BALL, "suitcase"]), count=st.sampled_from([1, 2, None]),
    colour=st.sampled_from([None, None, *sorted(COLOURS)]),
    positions=st.sampled_from([(), ("left",), ("right",), ("top",), ("middle",), ("front",), ("top", "left")]),
    order=st.sampled_from([None, None, 2]), size=st.sampled_from([0, 0, 1, -1]),
    relation=st.sampled_from([None, *RELATION_NAMES]), to=st.sampled_from([Place("suitcase"), Place("sky", "stuff")]))


def test_all_things_come_in_one_order():
    image, segments = scene(Shape("suitcase", 8, 46, 3, "black"), Shape("suitcase", 8, 47, 3, "black"))
    place = Place("suitcase", count=None)
    assert [*map(id, chosen(place, segments, image))] == [*map(id, chosen(place, segments[::-1], image))]


@settings(max_examples=60)
@given(SHAPES, PLACES, st.randoms(use_true_random=False))
def test_the_order_of_the_segments_never_changes_the_choice(shapes, place, random):
    image, segments = scene(*shapes)
    shuffled = list(segments)
    random.shuffle(shuffled)
    first, second = choose(place, segments, image), choose(place, shuffled, image)
    assert list(map(id, first.segments)) == list(map(id, second.segments))
    assert first.remark == second.remark and first.score == second.score


SWAPPED = {"left": "right", "right": "left"}


@settings(max_examples=60)
@given(SHAPES, PLACES)
def test_a_mirrored_scene_and_mirrored_words_choose_the_mirrored_segments(shapes, place):
    image, segments = scene(*shapes)
    mirrored = [replace(segment, mask=np.ascontiguousarray(segment.mask[:, ::-1])) for segment in segments]
    other = replace(place, positions=tuple(SWAPPED.get(name, name) for name in place.positions))
    first, second = choose(place, segments, image), choose(other, mirrored, image.flip(2))
    assume(not first.others)   # of equal candidates, either may be taken
    assume(not (place.order and not place.positions and not place.size))   # counted from the left, also in a mirror
    assert sorted(segments.index(one) for one in first.segments) == sorted(
        mirrored.index(one) for one in second.segments)


@pytest.mark.parametrize(("name", "many"), [
    ("person", "people"), ("wine glass", "wine glasses"), ("knife", "knives"), ("bench", "benches"), ("dog", "dogs"),
    ("sheep", "sheep"), ("bus", "buses"), ("toothbrush", "toothbrushes")])
def test_plurals(name, many):
    assert plural(name) == many


GRASS, TREES = Place("grass", "stuff"), Place("trees", "stuff")


def test_a_part_of_a_stuff_is_the_whole_where_nothing_tells_them_apart():
    for part in (GRASS, TREES):
        choice = choose(part, SEGMENTS, IMAGE)
        assert choice.segments == (PLANTS,)
        assert masked(choice, part, IMAGE).name == "plants"   # so it is said


def test_parts_of_a_stuff_are_apart_and_their_whole_is_both():
    upper = np.zeros_like(PLANTS.mask)
    upper[:SIDE * 3 // 4] = 1
    trees, grass = (replace(PLANTS, name=name, mask=PLANTS.mask * part)
                    for name, part in (("trees", upper), ("grass", 1 - upper)))
    segments = [SKY, trees, grass]
    assert choose(TREES, segments, IMAGE).segments == (trees,)
    assert choose(GRASS, segments, IMAGE).segments == (grass,)
    assert np.array_equal(mask_of(choose(Place("plants", "stuff"), segments, IMAGE), SIDE, SIDE), PLANTS.mask)
    missing = choose(GRASS, [SKY, trees], IMAGE)
    assert not missing.segments and missing.remark == "no grass was found"
