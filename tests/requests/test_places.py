"""Places: the words of a part of the photo as values, and the place of each wish of a request."""
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.requests.place_words import tokens_of
from core.requests.places import COLOUR_NAMES, Place, read_place
from core.requests.reader import read_wishes

PERSON, DOG, CAR = Place("person"), Place("dog"), Place("car")
SKY, WATER, PLANTS = Place("sky", "stuff"), Place("water", "stuff"), Place("plants", "stuff")
GRASS, TREES = Place("grass", "stuff"), Place("trees", "stuff")
PHOTO, BACKGROUND = Place("photo", "photo"), Place("background", "background")
SOME = ["the", "a", "of", "on", "in", "to", "left", "right", "top", "dog", "dogs", "man", "red", "blue", "dark",
        "parts", "everything", "but", "except", "and", ",", "next", "both", "all", "second", "from", "sky", "half",
        "corner", "wug", "biggest", "rest", "shadow", "'s", "anything", "with", "behind"]


def area(name, *positions):
    return Place(name, "area", positions=positions)


def unknown(name, **fields):
    return Place(name, "unknown", **fields)


@pytest.mark.parametrize(("words", "place"), [
    # things
    ("the dog", DOG), ("dogs", replace(DOG, count=None)), ("both dogs", replace(DOG, count=2)),
    ("the two people", replace(PERSON, count=2)), ("all of the dogs", replace(DOG, count=None)),
    ("one of the dogs", DOG), ("the couple", replace(PERSON, count=2)), ("my kids", replace(PERSON, count=None)),
    ("the group of people", replace(PERSON, count=None)), ("me", PERSON), ("us", replace(PERSON, count=None)),
    ("the women", replace(PERSON, count=None)), ("the sofa", Place("couch")), ("a plane", Place("airplane")),
    ("his mobile", Place("cell phone")), ("the traffic lights", Place("traffic light", count=None)),
    ("the dog's fur", DOG), ("the fur of the dog", DOG), ("the old bicycle", Place("bicycle")),
    ("the biggest dog", replace(DOG, size=1)), ("the smallest bird", Place("bird", size=-1)),
    ("the red car", replace(CAR, colour="red")), ("the light blue car", replace(CAR, colour="blue")),
    ("the woman in red", replace(PERSON, colour="red")),
    # positions and orders
    ("the man on the left", replace(PERSON, positions=("left",))),
    ("the left car", replace(CAR, positions=("left",))),
    ("woman back right", replace(PERSON, positions=("back", "right"))),
    ("the guy in the middle of the photo", replace(PERSON, positions=("middle",))),
    ("the person who is on the far right", replace(PERSON, positions=("right",))),
    ("the second person from the right", replace(PERSON, positions=("right",), order=2)),
    ("the third dog", replace(DOG, positions=("left",), order=3)),
    ("the last car", replace(CAR, positions=("right",), order=1)),
    ("the people in the background", replace(PERSON, count=None, positions=("back",))),
    ("background trees", replace(TREES, positions=("back",))),
    ("the top left window", Place("window", "stuff", positions=("top", "left"))),
    ("the left side of the sky", replace(SKY, positions=("left",))),
    # relations
    ("the red car next to the tree", replace(CAR, colour="red", relation="near", to=TREES)),
    ("the cat on the couch", Place("cat", relation="on", to=Place("couch"))),
    ("the man holding an umbrella", replace(PERSON, relation="holding", to=Place("umbrella"))),
    ("the man standing in front of the car", replace(PERSON, relation="in front of", to=CAR)),
    ("the people behind us", replace(PERSON, count=None, relation="behind", to=replace(PERSON, count=None))),
    ("the man in the blue shirt", replace(PERSON, relation="in", to=unknown("shirt", colour="blue"))),
    ("the man in the hat next to the dog", replace(PERSON, relation="in", to=unknown("hat"))),
    ("the man in a white shirt with a tie", replace(PERSON, relation="in", to=unknown("shirt", colour="white"))),
    ("the man with the hat and gloves on the left",
     replace(PERSON, positions=("left",), relation="in", to=unknown("hat"))),
    ("the people from directly in front of the car", replace(PERSON, count=None, relation="in front of", to=CAR)),
    ("all people in the background", replace(PERSON, count=None, positions=("back",))),
    ("all the dogs", replace(DOG, count=None)), ("all red cars", replace(CAR, count=None, colour="red")),
    ("all people except the man", replace(PERSON, count=None, but=(PERSON,))),
    # stuff
    ("the sky", SKY), ("the clouds", SKY), ("the sea", WATER), ("river", WATER), ("the grass", GRASS),
    ("the lawn", GRASS), ("the woods", TREES), ("the flowers", PLANTS),
    ("the trees in the back", replace(TREES, positions=("back",))), ("the road", Place("road", "stuff")),
    ("the biggest window", Place("window", "stuff", size=1)), ("the snow", Place("snow", "stuff")),
    # tones, colours, areas, wholes
    ("the shadows", Place("shadows", "tone")), ("the dark parts", Place("shadows", "tone")),
    ("the blacks", Place("shadows", "tone")), ("bright areas", Place("highlights", "tone")),
    ("the midtones", Place("midtones", "tone")),
    ("the dark areas of the sky", Place("shadows", "tone", relation="in", to=SKY)),
    ("the reds", Place("red", "colour")), ("anything blue", Place("blue", "colour")),
    ("the yellow parts", Place("yellow", "colour")), ("everything that is red", Place("red", "colour")),
    ("the left half", area("left")), ("on the right", area("right")), ("the top of the picture", area("top")),
    ("the upper third", area("top third")), ("top left corner", area("corners", "top", "left")),
    ("the lower right", area("corners", "bottom", "right")), ("the corners", area("corners")),
    ("the edges of the photo", area("edges")), ("the centre", area("middle")),
    ("the subject", Place("subject", "subject")), ("the foreground", Place("subject", "subject")),
    ("the background", BACKGROUND), ("the rest of the picture", BACKGROUND),
    ("everything else", BACKGROUND), ("the whole picture", PHOTO), ("everything", PHOTO),
    # companions and exceptions
    ("the sky and the water", replace(SKY, also=(WATER,))),
    ("the sky, the trees and the water", replace(SKY, also=(TREES, WATER))),
    ("everything except the dog", replace(PHOTO, but=(DOG,))), ("all but the sky", replace(PHOTO, but=(SKY,))),
    ("everything but the dog and the car", replace(PHOTO, but=(DOG, CAR))),
    ("the people except the bride", replace(PERSON, count=None, but=(PERSON,))),
    ("everything around the dog", replace(PHOTO, but=(DOG,))), ("not the sky", replace(PHOTO, but=(SKY,))),
    # words that LDIE cannot find
    ("her face", unknown("face")), ("the girl's skin tone", unknown("skin")), ("the logo", unknown("logo")),
    ("the dog's shadow", unknown("shadow")), ("the shadow of the dog", unknown("shadow")),
    ("the reflection", unknown("reflection")), ("the edge of the table", unknown("edge")),
    ("the wug", unknown("wug")), ("", unknown(""))])
def test_a_region_phrase_is_read_as_a_place(words, place):
    assert read_place(words) == place


@pytest.mark.parametrize(("words", "right"), [
    ("the moutains", "the mountains"), ("the brigde", "the bridge"), ("the elephnat", "the elephant")])
def test_misspelt_words_are_corrected(words, right):
    assert read_place(words) == read_place(right)


@pytest.mark.parametrize("words", ["the globe", "the persona", "the canteloupe"])
def test_other_words_are_not_taken_for_things(words):
    assert read_place(words).kind == "unknown"


def test_a_place_keeps_its_words():
    assert read_place("  the   Man on the left ").words == "the Man on the left"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(SOME), max_size=14).map(" ".join))
def test_any_words_are_read(words):
    place = read_place(words)
    assert read_place(place.words) == place
    assert read_place(words.swapcase()).kind in (place.kind, "unknown") or not words.isascii()


NAMES = st.sampled_from(["dog", "man", "car", "bench", "sky", "grass", "window", "wug"])


@given(NAMES, st.sampled_from(["the", "a", "my", "please the", "just the", "THE"]))
def test_articles_case_and_politeness_do_not_count(name, before):
    assert read_place(f"{before} {name.upper()}") == read_place(name)


@given(name=st.sampled_from(["dog", "car", "person"]), side=st.sampled_from(["left", "right"]),
       order=st.sampled_from(["", "first", "second", "third", "fourth"]),
       size=st.sampled_from(["", "biggest", "smallest"]),
       colour=st.sampled_from(["", *(name for name in COLOUR_NAMES if name not in ("white", "black"))]))
def test_the_words_of_a_place_are_read_back(name, side, order, size, colour):
    words = f"the {order} {size} {colour} {name} {'from' if order else 'on'} the {side}"
    orders = ("", "first", "second", "third", "fourth")
    assert read_place(words) == Place(name, colour=colour or None, positions=(side,), order=orders.index(order) or None,
                                      size={"": 0, "biggest": 1, "smallest": -1}[size])


@pytest.mark.parametrize("words", [
    "next to the dog " * 300, "the dog and " * 500, "of " * 3000, "'s " * 400, "the " * 5000])
def test_long_words_are_read(words):
    assert read_place(words).words == " ".join(words.split())


def test_owners_are_marked():
    assert [token.owns for token in tokens_of("the dog's and the girls' hats, it's")] == [
        False, True, False, False, True, False, False, False]


def places(request):
    """Return (attribute, sign, Place or None) of the wishes that change something."""
    return [(wish.attribute, wish.sign, wish.where and read_place(wish.where))
            for wish in read_wishes(request) if wish.sign]


LEFT_MAN = replace(PERSON, positions=("left",))


@pytest.mark.parametrize(("request_", "expected"), [
    # a place of its own for each wish
    ("make the sky bluer and brighten the man on the left", [("blue", 1, SKY), ("light", 1, LEFT_MAN)]),
    ("make the sea greener, the sand warmer and the umbrellas darker", [
        ("green", 1, WATER), ("temperature", 1, Place("sand", "stuff")), ("light", -1, Place("umbrella", count=None))]),
    ("lighten the image without losing the colors of the flower", [("light", 1, None)]),
    ("can the bride be lighter without the groom getting lighter", [("light", 1, PERSON)]),
    ("make it brighter without blowing out the sky", [("light", 1, None)]),
    ("the valley without the haze", [("haze", -1, unknown("valley"))]),
    ("brighten the boat and increase contrast", [("light", 1, Place("boat")), ("contrast", 1, None)]),
    ("increase the saturation of the grass on the right side", [
        ("saturation", 1, replace(GRASS, positions=("right",)))]),
    ("brighten the left half a lot", [("light", 1, area("left"))]),
    ("make the horse's coat less orange", [("orange", -1, Place("horse"))]),
    ("the sky is too bright", [("light", -1, SKY)]),
    ("make the red car next to the tree warmer", [
        ("temperature", 1, replace(CAR, colour="red", relation="near", to=TREES))]),
    ("sharpen the second cyclist from the right", [
        ("sharpness", 1, replace(PERSON, positions=("right",), order=2))]),
    ("make both cats brighter please", [("light", 1, Place("cat", count=2))]),
    ("sharpen the man and the dog", [("sharpness", 1, replace(PERSON, also=(DOG,)))]),
    ("darken the sky, the people are too bright", [("light", -1, SKY), ("light", -1, replace(PERSON, count=None))]),
    ("brighten me", [("light", 1, PERSON)]), ("make us warmer", [("temperature", 1, replace(PERSON, count=None))]),
    ("make the 3 dogs brighter", [("light", 1, replace(DOG, count=3))]),
    ("make the couple in front more visible, lighter", [("light", 1, replace(PERSON, count=2, positions=("front",)))]),
    ("make the bench more visible and increase the contrast", [("contrast", 1, None)]),
    ("make the yellow blob brighter", [("light", 1, unknown("blob", colour="yellow"))]),
    ("lighten the dog and its shadow", [("light", 1, replace(DOG, also=(unknown("shadow"),)))]),
    ("zoom in closely on the two people", [("crop", 1, replace(PERSON, count=2))]),
    ("remove the shadow of the car", [("shadows", 1, unknown("shadow"))]),
    # pronouns
    ("the cups are too dark, lighten them", [("light", 1, Place("cup", count=None))]),
    ("The cups are too dark. Lighten them.", [("light", 1, Place("cup", count=None))]),
    ("enhance the colors and make them more vivid", [("saturation", 1, None)]),
    ("give me a brighter picture", [("light", 1, None)]),
    # exceptions and the rest
    ("darken everything except the dog", [("light", -1, replace(PHOTO, but=(DOG,)))]),
    ("desaturate everything but the red car", [
        ("saturation", -1, replace(PHOTO, but=(replace(CAR, colour="red"),)))]),
    ("turn everything but the car black and white", [("black and white", 1, replace(PHOTO, but=(CAR,)))]),
    ("brighten the people but not the bride", [("light", 1, replace(PERSON, count=None, but=(PERSON,)))]),
    ("brighten the dog and darken everything else", [("light", 1, DOG), ("light", -1, replace(PHOTO, but=(DOG,)))]),
    ("leave the sky alone and brighten the rest", [("light", 1, replace(PHOTO, but=(SKY,)))]),
    # tones and colours: attributes, or places of another attribute
    ("lift the shadows", [("shadows", 1, None)]), ("make the blacks richer", [("blacks", -1, None)]),
    ("make the shadows bluer", [("blue", 1, Place("shadows", "tone"))]),
    ("reduce the noise in the shadows", [("noise", -1, Place("shadows", "tone"))]),
    ("boost the blues", [("blue", 1, None)]), ("darken the blues", [("light", -1, Place("blue", "colour"))]),
    ("make the blue parts darker", [("light", -1, Place("blue", "colour"))]),
    ("make anything yellow more saturated", [("saturation", 1, Place("yellow", "colour"))]),
    ("deepen the blue of the lake", [("blue", 1, WATER)]),
    # the whole photo
    ("brighten this photo of my dog", [("light", 1, None)]), ("increase the contrast of the whole picture", [
        ("contrast", 1, None)]),
    ("make the colors of the image warmer overall", [("temperature", 1, None)]),
    ("make it a little darker", [("light", -1, None)])])
def test_each_wish_has_its_own_place(request_, expected):
    assert places(request_) == expected


@pytest.mark.parametrize(("request_", "words"), [
    ("remove the man on the left", "man on the left"), ("remove the black bar", "black bar"),
    ("delete green object", "green object"), ("remove the cat and its shadow", "cat and its shadow"),
    ("erase the boy in the brown jacket and the girl in the red dress",
     "boy in the brown jacket and the girl in the red dress"),
    ("please take out the people in the background", "people in the background")])
def test_a_removal_has_the_whole_phrase(request_, words):
    wish, = read_wishes(request_)
    assert (wish.attribute, wish.where) == ("removal", words)


@pytest.mark.parametrize(("words", "place"), [
    ("lady second from the right", replace(PERSON, positions=("right",), order=2)),
    ("the guy 3rd from the left of this photo", replace(PERSON, positions=("left",), order=3)),
    ("the 2nd dog", replace(DOG, positions=("left",), order=2)),
    ("the person riding the bike", replace(PERSON, relation="on", to=Place("bicycle"))),
    ("the man riding on the left", replace(PERSON, positions=("left",))),
    ("the man without a hat", replace(PERSON, but=(unknown("hat"),))),
    ("the guy with no shirt on the left", replace(PERSON, but=(unknown("shirt", positions=("left",)),))),
    ("all expect the dog", replace(PHOTO, but=(DOG,))),
    ("girl out on the far right", replace(PERSON, positions=("right",))),
    ("everyone besides the bride", replace(PERSON, count=None, but=(PERSON,))),
    ("the man besides the car", replace(PERSON, relation="near", to=CAR)),
    ("the dog/car", replace(DOG, also=(CAR,))),
    ("the people behind the two dogs", replace(PERSON, count=None, relation="behind", to=replace(DOG, count=2))),
    ("the wall behind her", Place("wall", "stuff", relation="behind", to=PERSON)),
    ("the board they hold", unknown("board"))])
def test_traits_behind_a_noun_are_read(words, place):
    assert read_place(words) == place


@pytest.mark.parametrize(("request_", "wishes"), [
    # "without a hat" describes the man: it is neither an exception nor an attribute to keep
    ("the man without a hat should be brighter", [("light", 1, "the man without a hat")]),
    ("brighten the man without glasses", [("light", 1, "the man without glasses")]),
    ("remove the guy with no shirt", [("removal", 1, "guy with no shirt")]),
    # adjectives of a thing are no wishes
    ("remove the guy in the white stripped tank top", [("removal", 1, "guy in the white stripped tank top")]),
    ("remove the man in the lighter colored coat", [("removal", 1, "man in the lighter colored coat")]),
    ("remove the small red object far in the background", [
        ("removal", 1, "small red object far in the background")]),
    # people who are no things of keywords.toml, and pronouns
    ("remove everyone from the beach except the man", [("removal", 1, "everyone from the beach but not man")]),
    ("remove everybody around the elephant", [("removal", 1, "everybody around the elephant")]),
    ("would somebody remove me from this shot?", [("removal", 1, "me from this shot")]),
    ("remove the couple", [("removal", 1, "couple")]),
    ("the guy in the white hat ruins it, can someone photoshop him out?", [("removal", 1, "guy in the white hat")]),
    ("There is a man on the left. My friend looks good. Can you remove him?", [("removal", 1, "man on the left")]),
    # passives, and other verbs of removals
    ("man and his shadow removed and 3 sisters made brighter", [
        ("removal", 1, "man and his shadow"), ("light", 1, "3 sisters")]),
    ("the curator asks that the green cast be removed", [("green-magenta", 1, None)]),
    ("can these two people coming out of the door be removed", [("removal", 1, "two people")]),
    ("could you shop the car out of this", [("removal", 1, "car")]),
    ("could you help by editing out the chair at the front", [("removal", 1, "chair at the front")]),
    # a part behind a comma that describes the thing is no other thing
    ("remove the girl in the center, under the poster", [("removal", 1, "girl in the center")]),
    ("remove the man at the back, closest to the door", [("removal", 1, "man at the back")]),
    ("remove the people except the couple that is kissing and hugging", [("removal", 1, "people but not couple")]),
    ("erase the boy and fix the background", [("removal", 1, "boy"), ("enhance", 1, "the background")]),
    # exceptions
    ("remove everyone but the lady in the centre", [("removal", 1, "everyone but not lady in the centre")]),
    ("remove people other than the couple", [("removal", 1, "people but not couple")]),
    ("remove all expect the dog", [("removal", 1, "everything but dog")]),
    ("remove everyone except the surfer and the board they ride", [
        ("removal", 1, "everyone but not surfer and the board")]),
    ("remove the people in the background and leave just the girl in the front", [
        ("removal", 1, "people in the background")]),
    ("remove the people in the background and leave the girl", [
        ("removal", 1, "people in the background but not girl")]),
    ("remove the image below the mouth. Keep all of the writing.", []),
    # things in front of the background
    ("remove the leg from the background", [("removal", 1, "leg from the background")]),
    ("replace the dead grass in the background with flowers", [
        ("replacement", 1, "dead grass in the background with flowers")]),
    ("get rid of the streak of light", [("removal", 1, "streak")]),
    ("take away the sun's brightness", [("light", -1, "the sun's")]),
    # places without a verb, and verbs without an object
    ("her lips, redder", [("red", 1, "her lips")]),
    ("the snow not so grey, lighter", [("light", 1, "the snow")]),
    ("remove purple from the sky and make blue", [("purple", -1, "the sky"), ("blue", 1, "the sky")]),
    # what shall be seen better
    ("would you make the cat stand out?", [("enhance", 1, "the cat")]),
    ("make the background prettier", [("enhance", 1, "the background")]),
    ("zoom in closer on the couple", [("crop", 1, "couple")]),
    ("zoom in closer on this image", [("crop", 1, None)])])
def test_wishes_and_places_of_requests_that_people_write(request_, wishes):
    assert [(wish.attribute, wish.sign, wish.where) for wish in read_wishes(request_)] == wishes
