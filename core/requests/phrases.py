"""The words of requests: WORDS maps the direction of a wish, (attribute, sign), to the phrases that ask for it.

`core.requests.grammar` makes sentences from these phrases and from `core.requests.templates`.
"""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Aspect:
    """One aspect of a photo that a sentence can name ("the colors"), with its adjectives."""

    noun: str
    adjectives: tuple[str, ...] = ()  # comparatives: "stronger"
    unwanted: tuple[str, ...] = ()    # "pale"
    wanted: tuple[str, ...] = ()      # "rich"


@dataclass(frozen=True)
class Words(Aspect):
    """The phrases for one direction. `{it}` in a phrase stands for the edited photo or region.

    `about` is the topic that the edit changes. `intent` holds the signs under the keys of RetouchReq's annotations.
    """

    noun: str = "it"
    about: str = ""
    intent: dict[str, int] = field(default_factory=dict)
    verbs: tuple[str, ...] = ()       # commands that take a degree: "brighten {it}"
    fixed: tuple[str, ...] = ()       # commands that take no degree: "make {it} pop"
    raised: tuple[str, ...] = ()      # nouns after "more" or "increase"
    lowered: tuple[str, ...] = ()     # nouns after "less" or "reduce"
    complaints: tuple[str, ...] = ()  # whole statements
    aspects: tuple[Aspect, ...] = ()  # Aspect values


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

# These requests say that something is wrong, but not in which direction; the direction depends on the photo.
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
    ("enhance", 1): Words(
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
OPPOSITES = {(attribute, sign): (attribute, -sign) for sign in (1, -1) for attribute, known in WORDS
             if known == sign and (attribute, -sign) in WORDS}   # directions with sign 1 come first
ALSO = ("lifted", "removed", "repaired", "repairs")   # unused words, which keep the ids of old vocabularies valid
