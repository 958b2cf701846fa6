"""The words of requests, as tables: the one place where the direction of a wish meets its vocabulary.

`core.requests.grammar` makes sentences of them. WORDS is keyed by `Wish.direction`, (attribute, sign).
"""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Aspect:
    """One thing in a picture that can be spoken of by itself ("the colors"), with its adjectives."""

    noun: str
    adjectives: tuple = ()  # comparatives: "stronger"
    unwanted: tuple = ()    # "pale"
    wanted: tuple = ()      # "rich"


@dataclass(frozen=True)
class Words(Aspect):
    """How people ask for one direction. `{it}` in a phrase stands for the picture or the region that is edited.

    `about` names the topic that the edit touches, `intent` the signs that RetouchReq's annotations would give it.
    """

    noun: str = "it"
    about: str = ""
    intent: dict = field(default_factory=dict)
    verbs: tuple = ()       # commands that take a degree: "brighten {it}"
    fixed: tuple = ()       # commands that take none: "make {it} pop"
    raised: tuple = ()      # nouns of which more is wanted
    lowered: tuple = ()     # nouns of which less is wanted
    complaints: tuple = ()  # whole statements
    aspects: tuple = ()     # Aspect values


def _cast(color, comparative):
    return Words(about="cast", verbs=(f"shift the colors towards {color}", f"tint {{it}} {color}",
                                      f"shift {{it}} towards {color}"),
                 fixed=(f"give {{it}} a {color} tint",), adjectives=(f"more {color}", comparative),
                 raised=(color, f"{color} tones", f"{color} in the colors"),
                 complaints=(f"{{it}} is not {color} enough", f"there is not enough {color}"))


WORDS = {
    ("light", 1): Words(
        about="light", intent={"bright": 1},
        verbs=("brighten {it}", "lighten {it}", "brighten {it} up", "light {it} up", "lighten {it} up",
               "illuminate {it}", "lift the exposure", "let in the light"),
        adjectives=("brighter", "lighter"), unwanted=("dark", "dim", "gloomy", "underexposed", "murky"),
        wanted=("bright", "light"), raised=("brightness", "light", "exposure"),
        complaints=("{it} looks underexposed", "{it} is underexposed", "there is not enough light",
                    "there isn't enough light", "i can hardly see a thing"),
        aspects=(Aspect("light", ("stronger", "brighter"), ("weak", "low", "dim")),
                 Aspect("brightness", ("higher", "greater"), ("low", "weak")),
                 Aspect("exposure", ("higher",), ("low",)))),
    ("light", -1): Words(
        about="light", intent={"bright": -1},
        verbs=("darken {it}", "dim {it}", "dim the light", "darken {it} down", "lower the light", "tone down the light",
               "take down the exposure"),
        adjectives=("darker", "dimmer"), unwanted=("bright", "light", "overexposed", "glaring"), wanted=("dark", "dim"),
        lowered=("brightness", "light", "exposure"),
        complaints=("{it} looks overexposed", "{it} is overexposed", "there is too much light"),
        aspects=(Aspect("light", ("weaker", "dimmer", "softer"), ("strong", "bright")),
                 Aspect("brightness", ("lower",), ("high", "strong")), Aspect("exposure", ("lower",), ("high",)))),
    ("contrast", 1): Words(
        about="contrast", intent={"contrast": 1},
        verbs=("strengthen the contrast", "punch up the contrast", "deepen the contrast"), fixed=("make {it} pop",),
        adjectives=("more contrasty", "punchier", "contrastier"), unwanted=("flat", "hazy"),
        wanted=("contrasty", "punchy"), raised=("contrast", "punch", "difference between light and dark"),
        complaints=("{it} looks washed out", "{it} looks flat", "there is not enough contrast", "{it} lacks contrast",
                    "there isn't enough contrast", "make the dark parts darker and the light parts lighter"),
        aspects=(Aspect("contrast", ("stronger", "higher", "harder", "greater", "bolder"), ("weak", "low", "soft"),
                        ("strong", "high", "hard")),)),
    ("contrast", -1): Words(
        about="contrast", intent={"contrast": -1},
        verbs=("flatten {it}", "soften the contrast", "flatten the contrast", "weaken the contrast",
               "ease the contrast", "even out the contrast"),
        adjectives=("flatter", "less contrasty"), unwanted=("contrasty", "harsh"), wanted=("flat",),
        lowered=("contrast", "difference between light and dark"),
        complaints=("there is too much contrast", "bring the light and dark parts closer together"),
        aspects=(Aspect("contrast", ("weaker", "softer", "lower", "gentler", "milder"),
                        ("strong", "high", "hard", "harsh", "brutal"), ("soft", "low", "gentle", "weak")),)),
    ("saturation", 1): Words(
        about="color", intent={"sat": 1},
        verbs=("saturate {it}", "pump up the colors", "bring out the colors", "intensify the colors",
               "enrich the colors", "strengthen the colors", "liven up the colors", "deepen the colors",
               "intensify the hues", "boost the colors"),
        fixed=("make the colors pop", "bring the colors to life"),
        adjectives=("more colorful", "more vivid", "more vibrant", "more saturated"),
        unwanted=("dull", "gray", "pale", "undersaturated", "lifeless", "colorless"),
        wanted=("colorful", "vivid", "vibrant"), raised=("saturation", "color", "color intensity", "vibrance"),
        complaints=("{it} looks undersaturated", "{it} is undersaturated", "there isn't enough color",
                    "{it} lacks color"),
        aspects=(*(Aspect(noun, ("stronger", "richer", "deeper", "bolder", "livelier", "louder", "more vivid",
                                 "more intense", "more vibrant", "more saturated"),
                          ("weak", "dull", "pale", "faint", "lifeless", "quiet", "washed out"),
                          ("strong", "rich", "vivid", "vibrant", "bold", "intense"))
                   for noun in ("colors", "colors", "hues")),
                 Aspect("saturation", ("higher", "stronger"), ("low", "weak"), ("high", "strong")))),
    ("saturation", -1): Words(
        about="color", intent={"sat": -1},
        verbs=("desaturate {it}", "tone down the colors", "mute the colors", "subdue the colors", "weaken the colors",
               "soften the colors", "calm the colors", "calm the colors down", "drain the colors",
               "drain color from {it}", "fade the colors"),
        adjectives=("paler", "more muted", "less colorful"),
        unwanted=("colorful", "vivid", "vibrant", "saturated", "gaudy", "oversaturated", "garish"),
        wanted=("muted", "pale"), lowered=("saturation", "color", "color intensity", "vibrance"),
        complaints=("{it} looks oversaturated", "{it} is oversaturated", "there is too much color",
                    "the colors are overdone", "go easy on the colors", "go easier on the saturation"),
        aspects=(*(Aspect(noun, ("weaker", "calmer", "quieter", "paler", "gentler", "fainter", "more muted",
                                 "less intense", "less vivid"),
                          ("strong", "loud", "garish", "intense", "vivid", "gaudy", "saturated"),
                          ("muted", "pale", "calm", "weak", "subdued"))
                   for noun in ("colors", "colors", "hues")),
                 Aspect("saturation", ("lower", "weaker"), ("high", "strong"), ("low",)))),
    ("temperature", 1): Words(
        about="cast", intent={"warm": 1},
        verbs=("warm {it} up", "warm up the colors", "raise the color temperature", "warm {it}", "warm the colors",
               "shift {it} towards yellow", "shift the colors towards orange", "raise the temperature"),
        fixed=("give {it} a warmer tone", "put {it} on the warmer side", "make {it} golden"), adjectives=("warmer",),
        unwanted=("cool", "cold", "blue", "bluish", "icy"), wanted=("warm", "golden"), raised=("warmth", "yellow"),
        complaints=("{it} lacks warmth", "take the blue cast away", "more yellow and less blue"),
        aspects=tuple(Aspect(noun, ("warmer",), ("cold", "cool", "blue"), ("warm", "golden"))
                      for noun in ("colors", "tones", "light"))),
    ("temperature", -1): Words(
        about="cast", intent={"warm": -1},
        verbs=("cool {it} down", "cool down the colors", "lower the color temperature", "cool {it}", "cool {it} off",
               "cool the colors", "chill {it}", "lower the temperature"),
        fixed=("give {it} a cooler tone", "put {it} on the cooler side", "give {it} a wintry look"),
        adjectives=("cooler", "colder"), unwanted=("warm", "yellow", "orange", "yellowish"),
        wanted=("cool", "cold", "chilly"), lowered=("warmth", "yellow"),
        complaints=("{it} has too much warmth", "take the yellow cast away", "more blue and less yellow"),
        aspects=tuple(Aspect(noun, ("cooler", "colder"), ("warm", "yellow", "orange"), ("cool", "cold"))
                      for noun in ("colors", "tones", "light"))),
    ("red", 1): _cast("red", "redder"),
    ("green", 1): _cast("green", "greener"),
    ("blue", 1): _cast("blue", "bluer"),
    ("sharpness", 1): Words(
        about="detail", intent={"sharp": 1},
        verbs=("sharpen {it}", "sharpen the details", "sharpen {it} up", "sharpen the edges", "enhance the details",
               "bring out the details"),
        fixed=("make {it} crisp", "bring {it} into focus", "make the details stand out"),
        adjectives=("sharper", "crisper"), unwanted=("blurry", "fuzzy", "blurred", "soft"), wanted=("sharp", "crisp"),
        raised=("sharpness", "crispness", "clarity"),
        complaints=("{it} looks out of focus", "{it} is out of focus", "i want to see the details more clearly"),
        aspects=tuple(Aspect(noun, ("sharper", "crisper", "clearer", "more distinct"), ("blurry", "fuzzy", "blurred"),
                             ("sharp", "crisp", "clear")) for noun in ("details", "edges", "focus"))),
    ("sharpness", -1): Words(
        about="detail", intent={"sharp": -1},
        verbs=("blur {it}", "blur the details", "soften the details", "soften {it}", "soften the focus",
               "blur the edges", "defocus {it}"),
        fixed=("make {it} look dreamy", "put {it} out of focus"),
        adjectives=("blurrier", "more blurred", "softer"), unwanted=("sharp", "crisp", "oversharpened"),
        wanted=("blurry", "soft", "blurred"), lowered=("sharpness", "crispness", "clarity"), raised=("blur",),
        complaints=("{it} looks oversharpened", "{it} is oversharpened"),
        aspects=tuple(Aspect(noun, ("softer", "blurrier", "less distinct"), ("sharp", "harsh", "crisp", "distinct"),
                             ("soft", "blurred")) for noun in ("details", "edges", "focus"))),
    ("shadows", 1): Words(
        about="light", intent={"bright": 1},
        verbs=("lift the shadows", "open up the shadows", "brighten the shadows", "brighten the dark areas",
               "bring out the shadows"),
        fixed=("make the shadows brighter",),
        complaints=("the shadows are too dark", "the dark areas are too dark")),
    ("midtones", -1): Words(
        about="light", intent={"bright": -1},
        verbs=("darken the midtones", "deepen the midtones", "bring down the midtones", "deepen the tones"),
        fixed=("make the midtones darker",),
        complaints=("the midtones are too bright", "the midtones are not dark enough")),
    ("fade", 1): Words(
        about="contrast", intent={"contrast": -1},
        verbs=("fade {it}",), fixed=("give {it} a faded look", "give {it} a matte look", "add a fade to {it}"),
        adjectives=("more faded", "more matte"), raised=("fade",),
        complaints=("{it} should look faded", "{it} is not faded enough")),
    ("unchanged", 1): Words(
        about="nothing",
        fixed=("leave {it} as it is", "leave {it} alone", "leave {it} the way it is", "keep {it} as it is",
               "keep {it} unchanged", "keep everything the same", "don't change anything", "don't edit {it}",
               "don't touch {it}", "change nothing", "do nothing", "do nothing to {it}", "make no changes",
               "make no changes to {it}", "keep {it} just like this", "leave everything as it was",
               "let {it} stay the way it is", "stop editing", "skip the edit", "hand {it} back unchanged",
               "stick with the original", "return {it} untouched", "do not edit {it}", "never mind editing {it}",
               "do not change {it}", "keep the original", "don't brighten {it} and don't darken {it}",
               "keep {it} exactly the way it is"),
        complaints=("{it} is fine as it is", "{it} is perfect as it is", "{it} looks good already",
                    "{it} needs no editing", "{it} needs no changes", "no changes needed", "no edits please",
                    "nothing needs to be changed", "i like {it} the way it is", "{it} should stay as it is",
                    "there is nothing to change", "i don't want any changes", "{it} doesn't need anything",
                    "i am happy with {it} as it is", "{it} is already just right", "nothing to do here")),
    ("removal", 1): Words(
        about="objects",
        fixed=("erase what is in {it}", *(
            f"{verb} the {thing} in {{it}}" for thing in ("object", "thing", "item")
            for verb in ("remove", "get rid of", "erase", "delete", "take out"))),
        complaints=("the object in {it} should go", "there should be nothing in {it}")),
}

# Requests that only the photo can answer: they say that something is wrong, not which way.
WORDS |= {
    ("exposure repair", 1): Words(
        about="light",
        fixed=("fix the exposure", "correct the exposure", "adjust the exposure", "get the exposure right",
               "balance the exposure", "repair the exposure", "fix the brightness", "correct the brightness",
               "fix the lighting", "correct the lighting", "set the right exposure", "improve the exposure",
               "expose {it} properly", "expose {it} correctly", "bring the exposure back to normal",
               "sort out the exposure", "make the exposure normal", "make the brightness look right"),
        complaints=("the exposure is wrong", "the exposure is off", "the exposure is not right", "the lighting is off",
                    "{it} is badly exposed", "{it} is poorly exposed", "the brightness is wrong",
                    "there is something wrong with the exposure", "the exposure needs to be fixed",
                    "the exposure needs correction")),
    ("cast repair", 1): Words(
        about="cast",
        fixed=("remove the color cast", "fix the color cast", "get rid of the color cast", "fix the white balance",
               "correct the white balance", "remove the tint", "neutralize the colors", "neutralize the color cast",
               "make the colors neutral", "take the color cast out", "fix the tint", "balance the colors",
               "get the white balance right", "correct the color balance", "make the whites white",
               "remove the cast", "set the right white balance", "make the grays neutral"),
        complaints=("there is a color cast", "{it} has a color cast", "the white balance is off",
                    "the white balance is wrong", "the color balance is off", "the colors are tinted",
                    "the white balance needs to be fixed", "{it} has an ugly tint", "the colors are not neutral")),
    ("contrast repair", 1): Words(
        about="contrast",
        fixed=("fix the contrast", "correct the contrast", "get the contrast right", "bring the contrast back",
               "restore the contrast", "repair the contrast", "balance the contrast",
               "bring the contrast back to normal", "make the contrast normal", "adjust the contrast"),
        complaints=("the contrast is wrong", "the contrast is off", "the contrast is not right",
                    "the contrast is gone", "the contrast needs to be fixed", "the contrast needs correction")),
    ("saturation repair", 1): Words(
        about="color",
        fixed=("fix the saturation", "correct the saturation", "get the saturation right", "bring the colors back",
               "restore the colors", "repair the colors", "bring back the color", "make the saturation normal",
               "bring the saturation back to normal", "adjust the saturation"),
        complaints=("the saturation is wrong", "the saturation is off", "the colors are gone",
                    "the saturation is not right", "the saturation needs to be fixed")),
    ("repair", 1): Words(
        about="everything",
        fixed=("bring {it} back to normal", "fix {it}", "restore {it}", "repair {it}", "correct {it}",
               "make {it} normal", "make {it} look normal", "make {it} look natural", "make {it} look right",
               "improve {it}", "make {it} better", "enhance {it}", "make {it} look good",
               "auto correct {it}", "adjust {it} properly", "make {it} look like a good photo", "clean {it} up",
               "do whatever {it} needs", "give {it} a fix"),
        complaints=("something is wrong with {it}", "{it} is not right", "{it} looks wrong", "{it} looks off",
                    "{it} does not look natural", "{it} needs to be fixed", "{it} needs a correction",
                    "{it} needs some work")),
}

# Words of degree by place: before a comparative, after a command, before a command, before "too", before a noun, inside
# "a ... warmer look"; "none" is for phrases that take no degree. A phrase with a place that a level lacks is not used
# for that level.
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
    """A sentence form for one slot of Words (at {x}), with one place for a degree ({d}).

    The part in brackets can be repeated for several wishes: "make it [brighter] and [a bit warmer]". The kind decides
    the words that can follow: a command can be made polite and be qualified, a fragment ("warmer") may end in
    "please", a noun ("more light") may follow "with", a statement may ask to be put right, and a fault ("it is dark")
    must.
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
NOUN_FORMS = (   # of an Aspect, {n}; those of FORMS with {it} in them are used for it, too
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
BARE = r"^(\w+) {it}"   # commands whose object goes without saying: "sharpen", "warm up"
PLURAL = {"is": "are", "looks": "look", "feels": "feel", "needs": "need", "has": "have", "lacks": "lack"}

THINGS = ("it", "it", "it", "it", "the photo", "the image", "the picture", "this photo", "this image", "this picture",
          "my photo", "my picture", "the shot", "this shot", "the whole photo", "the whole image", "the whole thing",
          "everything")
_SIDES = ("the {} part", "the {} side", "the {} area")
_CORNERS = ("the {} corner", "the {}", "the {} part")
REGIONS = {  # by thirds of the picture: rows from the top, columns from the left
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
JOINS_TO_PART = (" with ",)   # a command before "more light", "a warm look"
JOINS_TO_NOUN = (*JOINS_TO_PART, " and ", ", ", " but ")   # a noun or a fragment before a noun
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
        "{}, do something about it", "{}, correct that please", "{}, make it better")   # a statement, a fault ..
MEND_ALL = (   # ... of several things
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
        "details": ("detail",)}  # word: the topics (Words.about) that would change it
DOING = {"sharpening": ("detail",), "blurring": ("detail",), "brightening": ("light",), "darkening": ("light",),
         "recoloring": ("color", "cast"), "saturating": ("color",), "warming": ("cast",),
         "adding contrast": ("contrast",)}
OPPOSITES = {(attribute, sign): (attribute, -sign) for sign in (1, -1) for attribute, known in WORDS
             if known == sign and (attribute, -sign) in WORDS}   # directions, those of more first
OPPOSED = ("not {o} but [{d} {x}]", "don't make {it} {o} but [{d} {x}]", "[{d} {x}], not {o}",
           "make {it} [{d} {x}] instead of {o}", "i want {it} [{d} {x}], not {o}")
SHORT = {"it is": "it's", "do not": "don't", "is not": "isn't", "are not": "aren't", "should not": "shouldn't"}
ALSO = ("lifted", "removed", "repaired", "repairs")   # in no sentence, but vocabularies have them: ids stay as they are
BRITISH = {"color": "colour", "colors": "colours", "colorful": "colourful", "center": "centre", "gray": "grey",
           "colorless": "colourless"}
