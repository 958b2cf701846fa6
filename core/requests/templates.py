"""The templates of sentences: degrees, sentence forms, regions, conjunctions, politeness, provisos.

`core.requests.grammar` fills them with the words of `core.requests.phrases`.
"""
from dataclasses import dataclass

# The words of each degree by their place in a sentence: "before" (before a comparative), "after" (after a command),
# "pre" (before a command), "too" (before "too"), "amount" (before a noun), "inside" (in "a ... warmer look"). "none" is
# the place of forms without a degree. A form is used only with degrees that have words for the form's place.
DEGREES = {
    "slight": {"before": ("slightly", "a little", "a bit", "a tad", "a touch", "just a bit", "a little bit", "somewhat",
                          "a tiny bit", "ever so slightly", "just a hair", "a smidge", "mildly", "a hint"),
               "after": ("a little", "a bit", "slightly", "a little bit", "a touch", "just a bit", "gently", "subtly",
                         "very slightly", "just a little", "a tiny bit", "only a bit", "mildly", "a hair"),
               "pre": ("slightly", "gently", "subtly"), "too": ("a little", "slightly", "a bit", "a touch", "somewhat"),
               "amount": ("a little", "a bit of", "a touch of", "a hint of", "a tiny bit of", "just a little"),
               "inside": ("slightly", "mildly")},
    "plain": {"before": ("",), "after": ("",), "too": ("",), "none": ("",), "amount": ("", "", "some"),
              "inside": ("",)},
    "strong": {"before": ("a lot", "much", "far", "considerably", "way", "very much", "a good deal", "significantly",
                          "dramatically", "a whole lot", "a great deal", "drastically", "massively", "enormously",
                          "an awful lot", "much much", "extremely", "really a lot"),
               "after": ("a lot", "strongly", "considerably", "by a lot", "very much", "heavily", "dramatically",
                         "significantly", "quite a lot", "as much as you can", "a great deal", "massively",
                         "really strongly", "drastically", "enormously", "aggressively", "a whole lot"),
               "pre": ("strongly", "significantly", "heavily", "drastically"),
               "too": ("way", "far", "much", "extremely", "really", "a lot", "terribly"),
               "amount": ("a lot of", "lots of", "plenty of", "a great deal of", "tons of", "loads of",
                          "a whole lot of", "a huge amount of"),
               "inside": ("much", "far", "considerably", "significantly", "drastically")},
}
PERCENT = {"before": ("{}%", "about {}%"), "after": ("by {}%", "about {}%", "by {} percent", "{}%", "by about {}%")}

RAISE = ("increase", "raise", "boost", "turn up", "bring up", "pump up", "enhance", "push up", "lift", "up", "step up",
         "bump up", "ramp up", "crank up", "strengthen", "intensify")
LOWER = ("decrease", "reduce", "lower", "turn down", "bring down", "tone down", "cut", "pull down", "take down", "drop",
         "dial down", "dial back", "pull back", "ease off", "lessen", "cut back")
AROUND_UP, AROUND_DOWN = ("turn", "bring", "push", "pump", "bump"), ("turn", "bring", "pull", "take", "dial", "tone")


@dataclass(frozen=True)
class Form:
    """A sentence form: {x} stands for a phrase from one field of Words, the slot, and {d} for a degree.

    The part in brackets can be repeated for several wishes: "make it [brighter] and [a bit warmer]". The kind decides
    which words can be added: politeness or a proviso to a command, "please" to a fragment ("warmer"), "with" to a
    noun ("more light"). "fix it" may follow a statement and always follows a fault ("it is dark").
    """

    template: str
    slot: str
    degree: str
    kind: str = "command"


FORMS = (
    Form("{x} {d}", "verbs", "after"),
    Form("{d} {x}", "verbs", "pre"),
    Form("make {it} [{d} {x}]", "adjectives", "before"),
    Form("make {it} look [{d} {x}]", "adjectives", "before"),
    Form("make {it} [{d} {x}]", "adjectives", "before"),
    Form("[{d} {x}]", "adjectives", "before", "fragment"),
    Form("{it} should be [{d} {x}]", "adjectives", "before", "statement"),
    Form("{it} could be [{d} {x}]", "adjectives", "before", "statement"),
    Form("{it} would look better [{d} {x}]", "adjectives", "before", "statement"),
    Form("i want {it} [{d} {x}]", "adjectives", "before", "statement"),
    Form("i'd like {it} [{d} {x}]", "adjectives", "before", "statement"),
    *(Form(f"a [{{d}} {{x}}] {look}", "adjectives", "inside", "noun")
      for look in ("look", "version", "mood", "photo", "image")),
    Form("make {it} [{d} less {x}]", "unwanted", "before"),
    Form("[{d} less {x}]", "unwanted", "before", "fragment"),
    Form("[not so {x}]", "unwanted", "none", "fragment"),
    Form("{it} is [{d} too {x}]", "unwanted", "too", "statement"),
    Form("{it} looks [{d} too {x}]", "unwanted", "too", "statement"),
    Form("{it} came out [{d} too {x}]", "unwanted", "too", "statement"),
    Form("[{d} too {x}]", "unwanted", "too", "statement"),
    Form("{it} is [so {x}]", "unwanted", "none", "statement"),
    *(Form(f"{{it}} {verb} [{{x}}]", "unwanted", "none", "fault") for verb in ("is", "is", "looks")),
    Form("{it} feels [rather {x}]", "unwanted", "none", "statement"),
    Form("{it} should not be [so {x}]", "unwanted", "none", "statement"),
    Form("{it} should not be [this {x}]", "unwanted", "none", "statement"),
    Form("{it} is not [{x} enough]", "wanted", "none", "statement"),
    Form("make {it} [{x}]", "wanted", "none"),
    Form("i'd like {it} to be [{x}]", "wanted", "none", "statement"),
    Form("give {it} a [{x}] look", "wanted", "none"),
    Form("a [{x}] look", "wanted", "none", "noun"),
    Form("i want a [{x}] mood", "wanted", "none", "statement"),
    Form("put {it} on the [{x}] side", "wanted", "none"),
    *(Form(f"{verb} [the {{x}} {{d}}]", "raised", "after") for verb in RAISE),
    *(Form(f"{verb} [the {{x}}] of {{it}} {{d}}", "raised", "after") for verb in RAISE[:2]),
    *(Form(f"{verb} [the {{x}}] up {{d}}", "raised", "after") for verb in AROUND_UP),
    Form("add [{d} more {x}]", "raised", "before"),
    Form("add [{d} {x}]", "raised", "amount"),
    Form("add [{d} {x}] to {it}", "raised", "amount"),
    Form("give {it} [{d} more {x}]", "raised", "before"),
    Form("give {it} [{d} {x}]", "raised", "amount"),
    Form("[{d} more {x}]", "raised", "before", "noun"),
    Form("[{d} more {x}]", "raised", "before", "noun"),
    Form("{it} needs [{d} more {x}]", "raised", "before", "statement"),
    Form("{it} could use [{d} {x}]", "raised", "amount", "statement"),
    Form("the {x} is {d} too low", "raised", "too", "statement"),
    Form("the {x} needs to go up {d}", "raised", "after", "statement"),
    Form("the {x} should be {d} higher", "raised", "before", "statement"),
    *(Form(f"{verb} [the {{x}} {{d}}]", "lowered", "after") for verb in LOWER),
    *(Form(f"{verb} [the {{x}}] of {{it}} {{d}}", "lowered", "after") for verb in LOWER[:2]),
    *(Form(f"{verb} [the {{x}}] down {{d}}", "lowered", "after") for verb in AROUND_DOWN),
    Form("give {it} [{d} less {x}]", "lowered", "before"),
    Form("take [{d} {x}] out", "lowered", "amount"),
    Form("take [{d} {x}] out of {it}", "lowered", "amount"),
    Form("take [{d} {x}] away", "lowered", "amount"),
    Form("remove [{d} {x}]", "lowered", "amount"),
    Form("[{d} less {x}]", "lowered", "before", "noun"),
    Form("[{d} less {x}]", "lowered", "before", "noun"),
    Form("{it} needs [{d} less {x}]", "lowered", "before", "statement"),
    Form("{it} has {d} too much {x}", "lowered", "too", "statement"),
    Form("there is {d} too much {x}", "lowered", "too", "statement"),
    Form("there should be [less {x}]", "lowered", "none", "statement"),
    Form("the {x} is {d} too high", "lowered", "too", "statement"),
    Form("the {x} needs to go down {d}", "lowered", "after", "statement"),
    Form("the {x} should be {d} lower", "lowered", "before", "statement"),
    Form("{x}", "fixed", "none"),
    Form("{x}", "complaints", "none", "statement"),
)
NOUN_FORMS = (   # forms for an Aspect, whose noun is {n}; the forms of FORMS with {it} are used for an Aspect, too
    Form("[{d} {x} {n}]", "adjectives", "before", "noun"),
    Form("i want [{d} {x} {n}]", "adjectives", "before", "statement"),
    Form("give {photo} [{d} {x} {n}]", "adjectives", "before"),
    Form("{photo} needs [{d} {x} {n}]", "adjectives", "before", "statement"),
    Form("{photo} should have [{d} {x} {n}]", "adjectives", "before", "statement"),
    Form("[{x} {n}]", "wanted", "none", "noun"),
    Form("give {photo} [{x} {n}]", "wanted", "none"),
    Form("i'd like [{x} {n}]", "wanted", "none", "statement"),
    Form("the {n} is {d} too {x}", "unwanted", "too", "statement"),
    Form("the {n} could be {x}", "wanted", "none", "statement"),
    Form("the {n} is nowhere near {x} enough", "wanted", "none", "statement"),
)
BARE = r"^(\w+) {it}"   # commands that can drop their object: "sharpen", "warm up"
PLURAL = {"is": "are", "looks": "look", "feels": "feel", "needs": "need", "has": "have", "lacks": "lack"}

THINGS = ("it", "it", "it", "it", "the photo", "the image", "the picture", "this photo", "this image", "this picture",
          "my photo", "my picture", "the shot", "this shot", "the whole photo", "the whole image", "the whole thing",
          "everything")
_SIDES = ("the {} part", "the {} side", "the {} area")
_CORNERS = ("the {} corner", "the {}", "the {} part")
REGIONS = {  # keys: (row, column) of a 3 x 3 grid over the photo, from the top left
    (0, 0): tuple(form.format(words) for words in ("upper left", "top left") for form in _CORNERS),
    (0, 1): tuple(form.format("top") for form in _SIDES),
    (0, 2): tuple(form.format(words) for words in ("upper right", "top right") for form in _CORNERS),
    (1, 0): tuple(form.format("left") for form in _SIDES),
    (1, 1): ("the middle", "the center", "the center of the photo", "the middle part"),
    (1, 2): tuple(form.format("right") for form in _SIDES),
    (2, 0): tuple(form.format(words) for words in ("lower left", "bottom left") for form in _CORNERS),
    (2, 1): tuple(form.format("bottom") for form in _SIDES),
    (2, 2): tuple(form.format(words) for words in ("lower right", "bottom right") for form in _CORNERS),
}

JOINS = (" and ", ", ", ", and ", ". ", ", then ", " and also ", " but ", " plus ", " and ")
JOINS_TO_DOING = (" while ", ", at the same time ")   # before "muting the colors"
JOINS_TO_PART = (" with ",)   # between a command and a noun such as "more light", "a warm look"
JOINS_TO_NOUN = (*JOINS_TO_PART, " and ", ", ", " but ")   # between a noun or a fragment and a noun
POLITE = {   # by the kind of the form
    "command": ("please {}", "{}, please", "{} please", "could you {}?", "could you please {}?", "can you {}?",
                "would you {}?", "i'd like you to {}", "i want you to {}", "try to {}", "just {}", "i need you to {}",
                "would you mind to {}?", "{} for me"),
    "fragment": ("{} please", "{}, please", "{} would be nice", "{} is what i want", "i'd like it {}", "i prefer it {}",
                 "just {}", "can it be {}?", "what about {}?"),
    "noun": ("{} please", "{}, please", "{} would be nice", "i'd like {}", "i want {}", "i'd prefer {}", "just {}",
             "give me {}", "give it {}", "can i have {}?", "what about {}?", "it could do with {}"),
}
MEND = ("{}, fix it", "{}, please fix that", "{}. please correct it", "{}, can you fix it?",
        "{}, do something about it", "{}, correct that please", "{}, make it better")   # after a statement or a fault
MEND_ALL = (   # after a sentence about several topics
    "{}, fix both", "{}. please fix all of that", "{}, please put that right", "{}, sort it all out")
ALL_OVER = (" overall", " here", " in general", " all over", " in this one", " everywhere")
KEEP = ("don't touch the {k}, just {}", "{} without changing the {k}", "keep the {k} as before, but {}",
        "leave the {k} alone and {}", "{} but don't change the {k}", "{}, not the {k}", "only {}, leave the {k}",
        "no change to the {k}, only {}", "{}, but keep the {k} the same", "the {k} should stay, just {}",
        "{} but leave the {k} as it is", "do not change the {k}, {}", "{} and keep the {k}", "{}, no other {k} please",
        "{} without touching the {k}", "{} but not the {k}", "leave the {k} be, just {}",
        "{}, and please keep the {k} the way it is", "only {}, please don't touch the {k}")
KEEP_FROM_DOING = ("{}, no {k}", "{}, no {k} please", "{} without any {k}", "{} without {k}", "no {k}, just {}")
KEEP_FROM = ("{}, but don't make it {o}", "{} without making it {o}", "{}, but not {o}", "{} and by no means {o}",
             "don't make it {o}, only {}")
KEPT = {"colors": ("color", "cast"), "saturation": ("color",), "warmth": ("cast",), "brightness": ("light",),
        "light": ("light",), "contrast": ("contrast",), "sharpness": ("detail",),
        "details": ("detail",)}  # values: the topics (Words.about) whose edits would change the key
DOING = {"sharpening": ("detail",), "blurring": ("detail",), "brightening": ("light",), "darkening": ("light",),
         "recoloring": ("color", "cast"), "saturating": ("color",), "warming": ("cast",),
         "adding contrast": ("contrast",)}
OPPOSED = ("not {o} but [{d} {x}]", "don't make {it} {o} but [{d} {x}]", "[{d} {x}], not {o}",
           "make {it} [{d} {x}] instead of {o}", "i want {it} [{d} {x}], not {o}")
SHORT = {"it is": "it's", "do not": "don't", "is not": "isn't", "are not": "aren't", "should not": "shouldn't"}
BRITISH = {"color": "colour", "colors": "colours", "colorful": "colourful", "center": "centre", "gray": "grey",
           "colorless": "colourless"}
