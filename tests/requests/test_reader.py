"""The reader: the wishes that its rules find in each sentence."""
from math import isfinite

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.requests.reader import read, read_wishes
from core.requests.wish import LEVELS, Wish


def signs(request):
    """Return {attribute: sign} of a request."""
    return {wish.attribute: wish.sign for wish in read_wishes(request)}


@pytest.mark.parametrize(("request_", "expected"), [
    # directions
    ("make it brighter", {"light": 1}), ("Darken the image.", {"light": -1}), ("warmer", {"temperature": 1}),
    ("turn the contrast down", {"contrast": -1}), ("dim the light", {"light": -1}),
    ("Increase the sharpness of this picture", {"sharpness": 1}), ("blur it", {"sharpness": -1}),
    ("Colours need to be increased a lot. Warmth needs to be reduced.", {"saturation": 1, "temperature": -1}),
    ("add a cool filter", {"temperature": -1}), ("reduce the warm tones", {"temperature": -1}),
    ("contrast", {"contrast": 1}),
    ("increase the color temperature", {"temperature": 1}), ("make it black and white", {"black and white": 1}),
    # opposites of the words
    ("less warm", {"temperature": -1}), ("make it less bright", {"light": -1}), ("not so bright please", {"light": -1}),
    # complaints
    ("it is too dark", {"light": 1}), ("the photo is not bright enough", {"light": 1}),
    ("looks dull", {"saturation": 1}),
    ("the contrast is too low", {"contrast": 1}), ("the contrast is too high", {"contrast": -1}),
    ("it isn't sharp enough", {"sharpness": 1}), ("there is too much contrast", {"contrast": -1}),
    ("there is not enough light", {"light": 1}), ("this is overexposed", {"light": -1}),
    ("it's dark, brighten it", {"light": 1}),
    # a command is no complaint
    ("make it look dark and flat", {"light": -1, "contrast": -1}), ("it should be bright", {"light": 1}),
    # attributes to be kept
    ("don't touch the brightness, only more contrast", {"light": 0, "contrast": 1}),
    ("don't make it darker", {"unchanged": 1}), ("leave it as it is", {"unchanged": 1}),
    ("never sharpen", {"unchanged": 1}),
    ("keep the saturation but cool it down", {"saturation": 0, "temperature": -1}),
    ("leave the colors alone and brighten it", {"saturation": 0, "light": 1}),
    ("brighten it without changing contrast or saturation", {"light": 1, "contrast": 0, "saturation": 0}),
    # several
    ("increase the brightness, saturation, and contrast", {"light": 1, "saturation": 1, "contrast": 1}),
    ("brighten the image and reduce contrast", {"light": 1, "contrast": -1}),
    ("Lighten image, decrease contrast, temperature, and saturation.",
     {"light": 1, "contrast": -1, "temperature": -1, "saturation": -1}),
    ("make the colors warmer", {"temperature": 1}),
    # misspelt words
    ("brigten teh foto", {"light": 1}), ("increse the contarst", {"contrast": 1}), ("saturaton up", {"saturation": 1}),
    # sentences without a known word
    ("", {}), ("what a day", {}), ("make it a nice picture", {}), ("我想要更亮", {})])
def test_a_request_is_read_as_its_wishes(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "degrees"), [
    ("brighten it a little", ["slight"]), ("brighten it", ["plain"]), ("brighten it a lot", ["strong"]),
    ("brighten it by 10%", [10]), ("brighten it by 12.5 %", [12.5]),
    ("Brighten a lot, add contrast and slightly decrease the saturation", ["strong", "plain", "slight"])])
def test_a_degree_belongs_to_the_part_of_the_sentence_with_its_word(request_, degrees):
    assert [wish.degree for wish in read_wishes(request_)] == degrees


def test_wishes_come_in_the_order_of_their_words():
    assert read_wishes("make it darker. no wait, make it much brighter, and sharpen it") == [   # the last one counts
        Wish("light", 1, "strong"), Wish("sharpness")]


@pytest.mark.parametrize(("request_", "expected"), [
    # casts and colours
    ("remove the blue tint", {"temperature": 1}), ("it is too blue", {"temperature": 1}),
    ("too yellow", {"temperature": -1}),
    ("add a green tint", {"green-magenta": -1}), ("get rid of the pink cast", {"green-magenta": -1}),
    ("remove the brown tone", {"temperature": -1}), ("boost the blues", {"blue": 1}),
    ("less purple", {"temperature": 1, "green-magenta": -1}),
    # zones of light
    ("lighten the shadows", {"shadows": 1}), ("remove the shadows", {"shadows": 1}),
    ("deeper shadows", {"shadows": -1}),
    ("bring down the highlights", {"highlights": -1}), ("brighten the dark areas", {"shadows": 1}),
    # effects
    ("remove the haze", {"haze": -1}), ("get rid of the noise", {"noise": -1}),
    ("there is a lot of noise", {"noise": -1}),
    ("add a vignette", {"vignette": 1}), ("darken the corners", {"vignette": 1}), ("add some grain", {"grain": 1}),
    # opposites
    ("reduce the darkness", {"light": 1}), ("instead of darker make it lighter", {"light": 1}),
    ("take the contrast down", {"contrast": -1}), ("the original is too dark", {"light": 1}),
    ("the input image is darker than the desired image", {"light": 1}),
    # purposes and reasons
    ("brighten it so that the colors of the fur can be seen", {"light": 1}),
    ("Darken the photo to bring out the details", {"light": -1}),
    # repairs
    ("fix the exposure", {"exposure repair": 1}), ("the white balance is off", {"cast repair": 1}),
    ("make it look better", {"enhance": 1}), ("it is dark, please fix it", {"light": 1}),
    # turns
    ("rotate it to the left", {"rotate": -1}), ("straighten the horizon", {"straighten": 1}),
    ("mirror it", {"flip": 1}),
    # beyond LDIE
    ("remove the man in the blue shirt", {"removal": 1}), ("take out the dog and the cat", {"removal": 1}),
    ("blur the background", {"sharpness": -1}), ("crop it", {"crop": 1}), ("swap the heads", {"replacement": 1}),
    ("remove the car and increase the contrast", {"removal": 1, "contrast": 1})])
def test_more_kinds_of_requests_are_read(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "expected"), [
    # verbs and nouns of all sizes
    ("intensify the colours", {"saturation": 1}), ("drain some colour from it", {"saturation": -1}),
    ("enrich the greens", {"green": 1}), ("mute the reds", {"red": -1}), ("tame the highlights", {"highlights": -1}),
    ("bring the tones closer together", {"contrast": -1}), ("push the lights and darks further apart", {"contrast": 1}),
    ("dial the clarity back", {"clarity": -1}), ("purples down, oranges less", {"purple": -1, "orange": -1}),
    # tints are removed after a complaint and added on request
    ("there is a red cast over the whole image", {"temperature": -1, "green-magenta": -1}),
    ("get rid of the orange tint", {"temperature": -1, "green-magenta": -1}),
    ("add a cyan tint", {"temperature": -1, "green-magenta": -1}),
    ("a slight purple tint, please", {"temperature": -1, "green-magenta": 1}),
    ("my photo came out greenish", {"green-magenta": 1}),
    # complaints without a verb, lacks and figures of speech
    ("so grainy", {"noise": -1}), ("far too dark", {"light": 1}), ("rather dull colours", {"saturation": 1}),
    ("no contrast at all", {"contrast": 1}), ("hardly any colour", {"saturation": 1}),
    ("what a hazy mess", {"haze": -1}), ("it feels like a dungeon in there", {"light": 1}),
    ("let some more light in", {"light": 1}),
    # zones of light
    ("crushed blacks", {"blacks": 1}), ("blown highlights", {"highlights": -1}),
    ("make the blacks richer", {"blacks": -1}),
    ("muddy midtones, brighten them", {"midtones": 1}),
    ("dark corners, get rid of them", {"vignette": -1}),
    # a later part changes an earlier one
    ("darker. no wait, brighter", {"light": 1}), ("more saturation. scratch that, less", {"saturation": -1}),
    ("cooler - I mean warmer", {"temperature": 1}),
    ("there is a teal tint, kill it", {"temperature": 1, "green-magenta": 1}),
    ("there is a fly on the soup, zap it", {"removal": 1}),
    # attributes to be kept
    ("brightness up, contrast untouched", {"light": 1, "contrast": 0}),
    ("the colors are great, just brighten it", {"saturation": 0, "light": 1}),
    ("perfect already, do nothing", {"unchanged": 1}), ("I love it exactly as it is", {"unchanged": 1}),
    ("please don't crop it", {"unchanged": 1}), ("sharpen it, change nothing else", {"sharpness": 1}),
    # one sentence tells a story, another one asks
    ("It was a warm day and my bright nephew caught a fish. Please add contrast.", {"contrast": 1}),
    # repairs and things
    ("the exposure is all wrong", {"exposure repair": 1}), ("work your magic", {"enhance": 1}),
    ("brighten it and lose the trash can", {"light": 1, "removal": 1}), ("no cars, please", {"removal": 1})])
def test_many_phrasings_are_read(request_, expected):
    assert signs(request_) == expected


def test_an_exception_limits_a_wish_and_keeps_the_attribute_of_its_thing():
    wishes = read_wishes("sharpen everything except the sky")
    assert [(wish.attribute, wish.sign) for wish in wishes] == [("sharpness", 1), ("sharpness", 0)]
    assert wishes[1].where == "sky"
    assert not any(wish.executable for wish in wishes)


@pytest.mark.parametrize(("request_", "places"), [
    ("brighten the man on the left", {"light": "the man on the left"}), ("make the sky bluer", {"blue": "the sky"}),
    ("brighten the whole photo and sharpen the dog", {"light": None, "sharpness": "the dog"}),
    ("make the water bluer and brighten it", {"blue": "the water", "light": "the water"}),
    ("increase color and sharpness of the dog", {"saturation": "the dog", "sharpness": "the dog"}),
    ("darken it, only on the statue", {"light": "the statue"}),
    ("my wife wants it brighter", {"light": None}), ("brighten the image", {"light": None}),
    ("remove the bin by the door", {"removal": "bin by the door"})])
def test_a_wish_may_be_limited_to_a_place(request_, places):
    assert {wish.attribute: wish.where for wish in read_wishes(request_)} == places


@pytest.mark.parametrize(("request_", "degree", "unit"), [
    ("half a stop brighter", 0.5, "stops"), ("+1 EV", 1, "stops"), ("brighter by two stops", 2, "stops"),
    ("contrast -15", 15, "points"), ("saturation by 30 points", 30, "points"), ("rotate by 90 degrees", 90, "degrees"),
    ("reduce the noise by half", 50, "%"), ("brighten by 10 percent", 10, "%"),
    ("a stop and a half brighter", 1.5, "stops"), ("brighten it by twenty per cent", 20, "%"),
    ("push it up 1/3 EV", 0.33, "stops"), ("Half an EV brighter", 0.5, "stops"),
    ("The light is weak, raise it by 15%", 15, "%"),
    ("pull the exposure down a few stops", "strong", "%"), ("a hint of warmth", "slight", "%")])
def test_numbers_have_units(request_, degree, unit):
    wish, = read_wishes(request_)
    assert (wish.degree, wish.unit) == (degree, unit)


def test_the_span_of_a_wish_is_the_word_that_names_it():
    request = "Please, REDUCE the colour’s blue tint"
    assert [request[slice(*wish.span)] for wish in read_wishes(request)] == ["blue"]


@pytest.mark.parametrize(("request_", "language"), [
    ("mach es heller", "German"), ("bitte mehr Kontrast", "German"), ("rends l'image plus lumineuse", "French"),
    ("hazla más brillante por favor", "Spanish"), ("rendi la foto più luminosa", "Italian"),
    ("deixe a foto mais clara", "Portuguese"), ("make it brighter", None), ("brighten the sky", None), ("", None)])
def test_other_languages_are_named_and_not_guessed(request_, language):
    reading = read(request_)
    assert reading.language == language
    assert not (language and reading.wishes)


def test_contradictions_are_named_and_not_granted():
    assert read("make it brighter and darker").contradictions == ("light",)
    assert read("make it brighter and darker, and sharpen it").wishes == (Wish("sharpness"),)


def test_words_without_a_meaning_for_the_reader_are_named():
    assert read("frobnicate the wug").not_understood == ("frobnicate", "wug")
    assert read("brighten it").not_understood == ()


@pytest.mark.parametrize("request_", [
    "brighter " * 5000, "word " * 5000, "🙂🙂🙂", "<b>brighter</b>", "a\x00b\x1b[31m",
    "\n" * 500, "İ" * 200 + " brighter",
    "the " * 2000 + "and, " * 2000])
def test_odd_requests_are_read(request_):
    assert all(wish.attribute == "light" for wish in read_wishes(request_))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
@example("9" * 400 + "% brighter")
def test_any_text_is_read(text):
    assert all(isfinite(wish.degree) for wish in read_wishes(text) if wish.degree not in LEVELS)


RED = {"temperature": 1, "green-magenta": 1}
AQUA = {"temperature": -1, "green-magenta": -1}


@pytest.mark.parametrize(("request_", "expected"), [
    # an adjective before the colour is no wish of its own
    ("a nasty yellow cast", {"temperature": -1}), ("add a light cyan tint", AQUA),
    ("too strong a blue hue", {"temperature": 1}), ("give it a subtle navy tint", {"temperature": -1}),
    ("there's an unpleasant peach tint all over", AQUA), ("an olive cast spoils it", {"green-magenta": 1}),
    # verbs that add a tint, shift the colours or remove a tint
    ("lay a pale pink tint over it", {"green-magenta": 1}), ("tint it turquoise", AQUA),
    ("bathe everything in blue light", {"temperature": -1}), ("push it towards green", {"green-magenta": -1}),
    ("shift the colours in the direction of magenta", {"green-magenta": 1}),
    ("clear up the yellow tinge", {"temperature": -1}), ("the bluish tone of the picture must go", {"temperature": 1}),
    ("can you lose the horrible orange glow", AQUA),
    # states and causes
    ("everything has gone teal", RED), ("why does it look so blue?", {"temperature": 1}),
    ("the image leans towards magenta", {"green-magenta": -1}),
    ("something added a green tint to it", {"green-magenta": 1}), ("the indoor light made it orange", AQUA)])
def test_tints_are_read(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "expected"), [
    ("forget the contrast, raise the clarity", {"clarity": 1}), ("not brighter, darker please", {"light": -1}),
    ("skip the sharpening and denoise it", {"noise": -1}), ("no vignette after all, more contrast", {"contrast": 1}),
    ("boost the reds. Oops, the greens", {"green": 1}), ("reduce the reds, I mean the greens", {"green": -1}),
    ("turn the shadows up, down", {"shadows": -1}), ("don't raise the shadows, lower them", {"shadows": -1}),
    ("don't brighten it, darken it", {"light": -1}), ("sepia, or better black and white", {"black and white": 1})])
def test_a_wish_that_is_taken_back_does_not_count(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "expected"), [
    ("not such deep shadows", {"shadows": 1}), ("lift the gloom", {"light": 1}), ("not as blurry", {"sharpness": 1}),
    ("it needn't be so dark", {"light": 1}), ("I don't like how dark it is", {"light": 1}),
    ("far too heavy a vignette", {"vignette": -1}), ("that fake HDR look", {"hdr": -1}),
    ("a lighter vignette", {"vignette": -1}), ("the corners are too dark", {"vignette": -1}),
    ("crush the blacks", {"blacks": -1}), ("the blacks are milky", {"blacks": -1}),
    ("out of focus, please fix", {"sharpness": 1}),
    # menus
    ("Effects > Dehaze +20", {"haze": -1}), ("HSL, Blue, Saturation -20", {"blue": -1}),
    ("dehaze at minus 10", {"haze": 1}), ("Detail panel: sharpening 60", {"sharpness": 1}),
    # attributes to be kept
    ("more contrast but not its sharpness", {"contrast": 1, "sharpness": 0}),
    ("sepia with the present contrast", {"sepia": 1, "contrast": 0}), ("keep the orange", {"unchanged": 1}),
    # tales of people and things
    ("My cousin Marta keeps a warm heart and a sharp tongue in her bakery. Brighten the picture.", {"light": 1})])
def test_opposites_menus_and_tales_are_read(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "expected"), [
    ("nudge this towards orange", {"temperature": 1, "green-magenta": 1}),
    ("the colours drift towards green", {"green-magenta": 1}),
    ("we would prefer this on the cold side", {"temperature": -1}),
    ("it came out on the cold side", {"temperature": 1}),
    ("turn the lights up", {"light": 1}), ("switch the light off", {"light": -1}),
    ("bring the light down", {"light": -1}), ("blacks darker and whites brighter", {"contrast": 1}),
    ("The saturation is mad, soften it", {"saturation": -1}), ("soften the harsh details", {"sharpness": -1}),
    ("less colour with a warm tone", {"saturation": -1, "temperature": 1}), ("The light is bluish", {"temperature": 1}),
    ("I want a dark moody feel", {"light": -1}), ("a higher-contrast version", {"contrast": 1}),
    ("a greater difference between the highlights and the shadows", {"contrast": 1}),
    ("warmr please", {"temperature": 1}),
    ("it looks green-ish", {"green-magenta": 1}), ("warm them too", {"temperature": 1}),
    ("I adore the contrast as it is, brighten it", {"contrast": 0, "light": 1}),
    ("sharpen it, but contrast and light must stay", {"sharpness": 1, "contrast": 0, "light": 0}),
    ("deepen the hues", {"saturation": 1}), ("introduce a mild green tone", {"green-magenta": -1})])
def test_directions_colours_and_looks_are_read(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "degree"), [
    ("crank the saturation", "strong"), ("a skosh warmer", "slight"), ("the contrast is terribly low", "strong"),
    ("minimally brighter", "slight"), ("a deep blue tint, please", "strong")])
def test_words_of_degree_are_read(request_, degree):
    assert {wish.degree for wish in read_wishes(request_)} == {degree}


@pytest.mark.parametrize(("request_", "expected"), [
    # effects and repairs count beside things
    ("Add a vignette and remove the bin", {"vignette": 1, "removal": 1}),
    ("Fix the exposure and erase the man", {"exposure repair": 1, "removal": 1}),
    # a fault that shall stay, and attributes to be kept
    ("The tilt is on purpose, don't straighten it", {"unchanged": 1}),
    ("It is dark because it was night, so don't go making it brighter", {"unchanged": 1}),
    ("It is too dark, but leave the rest untouched", {"light": 1}),
    ("soften it although the contrast needs to stay", {"sharpness": -1, "contrast": 0}),
    ("sharpen it, the contrast is fine, brightness the same", {"sharpness": 1, "contrast": 0, "light": 0}),
    # zones
    ("bring back the details in the shadows", {"shadows": 1}), ("the shadows are far too heavy", {"shadows": 1}),
    ("there is nothing left in the highlights", {"highlights": -1}), ("hot highlights", {"highlights": -1}),
    ("raise the black level", {"blacks": 1}),
    # opposites, casts and effects
    ("un-blue it", {"temperature": 1}), ("Very yellow, sir", {"temperature": -1}),
    ("bluish all over", {"temperature": 1}),
    ("desaturate it to greyscale", {"black and white": 1}), ("richer greens", {"green": 1}),
    ("erase the chair and add blue tone to the image", {"removal": 1, "temperature": -1}),
    ("my desk lamp turned everything yellow", {"temperature": -1}),
    ("add a drop of cyan", {"temperature": -1, "green-magenta": -1}),
    # ordinary words are no slips of others
    ("I expect a cooler picture", {"temperature": -1}), ("having a look, I would alter the contrast", {"contrast": 1}),
    # corrections
    ("add noise, doh, remove noise", {"noise": -1}), ("black and white. Actually no: sepia", {"sepia": 1}),
    # a thing is added only if the request wishes for it
    ("my battery died right after this", {}), ("I want a boat on the lake", {"adding": 1})])
def test_keeps_zones_and_things_are_read(request_, expected):
    assert signs(request_) == expected


def test_less_in_another_place_repeats_a_wish():
    wishes = read_wishes("More contrast in the sky and less in the sea. The trees stay as they are")
    assert [(wish.attribute, wish.sign, wish.where) for wish in wishes] == [
        ("contrast", 1, "the sky"), ("contrast", -1, "the sea"), ("contrast", 0, "The trees")]


def test_an_adjective_that_compares_is_a_wish_for_its_thing():
    wishes = read_wishes("minimally brighter sky")
    assert [(wish.attribute, wish.sign, wish.where) for wish in wishes] == [("light", 1, "brighter sky")]


@pytest.mark.parametrize(("request_", "degree", "unit"), [
    ("it is upside down", 180, "degrees"), ("rotate 90 clockwise", 90, "degrees"), ("rotate it by 180", 180, "degrees"),
    ("exposure -0.75", 0.75, "stops"), ("exposure +20", 20, "points"), ("one and a half stops brighter", 1.5, "stops"),
    ("0.2 of a stop brighter", 0.2, "stops"), ("three quarters of a stop darker", 0.75, "stops"),
    ("raise the contrast by eight points", 8, "points"), ("twice the contrast", 100, "%")])
def test_turns_stops_and_words_of_numbers_are_read(request_, degree, unit):
    assert [(wish.degree, wish.unit) for wish in read_wishes(request_)] == [(degree, unit)]


@pytest.mark.parametrize(("request_", "wishes"), [
    ("remove the people and leave just the bride", [("removal", 1, "people but not bride")]),
    ("erase everything else and keep only the girl", [("removal", 1, "everything but girl")]),
    ("remove the dog and don't touch the cat", [("removal", 1, "dog but not cat")]),
    ("remove the car and keep the sky blue", [("removal", 1, "car"), ("blue", 0, "the sky")]),
    ("remove the car and leave everything else alone", [("removal", 1, "car")]),
    ("take everything out and leave just the subject", []),
    ("do you keep my photos on your server or are they deleted?", []),
    ("remove the man on the right and 3 sisters made brighter", [("removal", 1, "man on the right"),
                                                                 ("light", 1, "3 sisters")]),
    ("erase the man and the dog, the sky is too dark", [("removal", 1, "man and the dog"), ("light", 1, "the sky")]),
    ("remove the people in front of the tower and from the left", [("removal", 1, "people in front of the tower")]),
    ("remove the girl in the back, left side with the hat", [("removal", 1, "girl in the back")]),
    ("motion blur the background", [("sharpness", -1, "the background")]),
    ("remove the man and the dog", [("removal", 1, "man and the dog")])])
def test_a_removal_leaves_what_is_kept_or_has_another_wish(request_, wishes):
    assert [(wish.attribute, wish.sign, wish.where) for wish in read(request_).wishes] == wishes
