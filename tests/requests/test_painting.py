"""White and transparent backgrounds in words: the place to paint, and sentences that only look like it."""
import pytest

from core.requests.painting import paintings
from core.requests.reader import read

WHITE, CLEAR = "white background", "transparent background"


@pytest.mark.parametrize(("request_", "wanted"), [
    ("make the background white", (WHITE, "the background")),
    ("The background should be pure white, thanks", (WHITE, "the background")),
    ("change the backdrop from grey to white please", (WHITE, "the background")),
    ("remove the background", (WHITE, "the background")),
    ("remove the background and replace it with white", (WHITE, "the background")),
    ("remove the background of this photo and make it transparent", (CLEAR, "the background")),
    ("i need a transparent png of the red car", (CLEAR, "everything but the red car")),
    ("put the cat on a plain white background", (WHITE, "everything but the cat")),
    ("cut out the cat and make the rest white", (WHITE, "everything but the cat")),
    ("make everything but the two boys white", (WHITE, "everything but the two boys")),
    ("isolate the shoe", (WHITE, "everything but the shoe")),
    ("white background behind the teapot", (WHITE, "everything but the teapot")),
    ("edit out the background", (WHITE, "the background")),
    ("take away the black background", (WHITE, "the background")),
    ("crop the logo and remove the background behind it", (WHITE, "the background")),
    ("remove the background from this toy ship please", (WHITE, "everything but this toy ship")),
    ("remove the background of this old screenshot", (WHITE, "the background")),
    ("isolate the man in black and replace everything else with white", (WHITE, "everything but the man in black")),
    ("take out all the background images, replace the background with solid white", (WHITE, "the background")),
    ("brighten the girl, remove them from the image background, place them on plain white", (WHITE, "the background")),
])
def test_the_place_is_read(request_, wanted):
    wishes = [wish for wish in read(request_).wishes if "background" in wish.attribute]
    assert [(wish.attribute, wish.where) for wish in wishes] == [wanted]


@pytest.mark.parametrize("request_", [
    "remove the background and replace it with a beach", "replace the white background with a forest",
    "make the background black and white", "remove the people in the background", "remove the background noise",
    "brighten the man in front of the white wall", "the white background is too dark", "blur the background"])
def test_other_wishes_for_a_background_paint_nothing(request_):
    assert not [wish for wish in read(request_).wishes if wish.attribute in (WHITE, CLEAR)]


def test_other_wishes_of_the_sentence_stay():
    wishes = read("make it much warmer and remove the background").wishes
    assert [(wish.attribute, wish.degree) for wish in wishes] == [("temperature", "strong"), (WHITE, "plain")]


def test_spans_are_those_of_the_request():
    request = "Warmer, and put the DOG on white, please"
    found, = paintings(request)
    assert request[found.start:found.end] == "put the DOG on white"


@pytest.mark.parametrize(("request_", "where"), [
    ("remove everything but the dog", "everything but dog"),
    ("remove everyone except the girl in focus", "everyone but not girl"),
    ("edit out all people except the man in the middle", "people but not man in the middle"),
    ("make the bus disappear", "bus"), ("photoshop the lady in the background out", "lady in the background"),
    ("photoshop the guy taking the picture out", "guy taking the picture"),
    ("please photoshop the fingers away", "fingers"),
    ("remove the guy standing in the back", "guy standing in the back"),
    ("remove the man in a white shirt with a tie", "man in a white shirt with a tie"),
    ("remove the second person from the left", "second person from the left"),
    ("I don't want the dog in the photo", "dog in the photo"), ("I wish the trash can was not there", "trash can"),
    ("remove the label of the bottle", "label of the bottle"), ("please remove it", None)])
def test_a_removal_names_the_thing_and_its_exceptions(request_, where):
    assert [(wish.attribute, wish.where) for wish in read(request_).wishes] == [("removal", where)]
