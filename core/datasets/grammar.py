"""From intended edits to the words that ask for them: a grammar of requests, as tables.

A wish names an effect ("brighter"), a level and perhaps a region; `describe` puts wishes into one sentence. The
words mean what the operations do: the tables below are the one place where a direction meets its vocabulary.
"""
import functools
import re
from dataclasses import astuple, dataclass, field

LEVELS = ("slight", "plain", "strong")  # from small to large; a level may also be an int, in per cent


@dataclass(frozen=True)
class Wish:
    """One intended effect: a key of WORDS, how much of it (one of LEVELS, or per cent), where (a key of REGIONS)."""

    effect: str
    level: str | int = "plain"
    region: str | None = None


@dataclass(frozen=True)
class Words:
    """How people ask for one direction. `{it}` in a phrase stands for what is edited.

    `about` is what the effect touches, `intent` the signs that RetouchReq's annotations would give it.
    """

    about: str
    intent: dict = field(default_factory=dict)
    verbs: tuple = ()       # commands that take a degree: "brighten {it}"
    fixed: tuple = ()       # commands that take none: "make {it} pop"
    adjectives: tuple = ()  # comparatives: "brighter"
    unwanted: tuple = ()    # what it is too much of now: "dark"
    raised: tuple = ()      # nouns of which more is wanted
    lowered: tuple = ()     # nouns of which less is wanted
    complaints: tuple = ()  # whole statements


def _cast(color, comparative):
    return Words("cast", verbs=(f"shift the colors towards {color}", f"tint {{it}} {color}"),
                 fixed=(f"give {{it}} a {color} tint",), adjectives=(f"more {color}", comparative),
                 raised=(color, f"{color} tones", f"{color} in the colors"),
                 complaints=(f"{{it}} is not {color} enough", f"there is not enough {color}"))


WORDS = {
    "brighter": Words(
        "light", {"bright": 1}, verbs=("brighten {it}", "lighten {it}", "brighten {it} up", "light {it} up"),
        adjectives=("brighter", "lighter"), unwanted=("dark", "dim", "gloomy"),
        raised=("brightness", "light", "exposure"),
        complaints=("{it} looks underexposed", "{it} is not bright enough", "there is not enough light")),
    "darker": Words(
        "light", {"bright": -1}, verbs=("darken {it}", "dim {it}", "dim the light"),
        adjectives=("darker", "dimmer"), unwanted=("bright", "light"),
        lowered=("brightness", "light", "exposure"),
        complaints=("{it} looks overexposed", "{it} is not dark enough", "there is too much light")),
    "more contrast": Words(
        "contrast", {"contrast": 1}, verbs=("strengthen the contrast",), fixed=("make {it} pop",),
        adjectives=("more contrasty", "punchier"), unwanted=("flat", "hazy"), raised=("contrast", "punch"),
        complaints=("{it} looks washed out", "{it} looks flat", "there is not enough contrast")),
    "less contrast": Words(
        "contrast", {"contrast": -1}, verbs=("flatten {it}", "soften the contrast"),
        adjectives=("flatter",), unwanted=("contrasty", "harsh"), lowered=("contrast",),
        complaints=("there is too much contrast", "the contrast is too high")),
    "more saturated": Words(
        "color", {"sat": 1},
        verbs=("saturate {it}", "pump up the colors", "bring out the colors", "intensify the colors",
               "enrich the colors"),
        fixed=("make the colors pop",),
        adjectives=("more colorful", "more vivid", "more vibrant", "more saturated"),
        unwanted=("dull", "gray", "pale"), raised=("saturation", "color", "color intensity", "vibrance"),
        complaints=("the colors are dull", "the colors look washed out", "{it} is not colorful enough")),
    "less saturated": Words(
        "color", {"sat": -1},
        verbs=("desaturate {it}", "tone down the colors", "mute the colors", "subdue the colors"),
        adjectives=("paler", "more muted"), unwanted=("colorful", "vivid", "vibrant", "saturated", "gaudy"),
        lowered=("saturation", "color", "color intensity", "vibrance"),
        complaints=("the colors are too strong", "the colors are too loud")),
    "warmer": Words(
        "cast", {"warm": 1},
        verbs=("warm {it} up", "warm up the colors", "raise the color temperature"),
        fixed=("give {it} a warmer tone",), adjectives=("warmer",), unwanted=("cool", "cold"), raised=("warmth",),
        complaints=("the colors are too cold", "{it} is not warm enough")),
    "cooler": Words(
        "cast", {"warm": -1},
        verbs=("cool {it} down", "cool down the colors", "lower the color temperature"),
        fixed=("give {it} a cooler tone",), adjectives=("cooler", "colder"), unwanted=("warm",), lowered=("warmth",),
        complaints=("the colors are too warm", "{it} is not cool enough")),
    "redder": _cast("red", "redder"),
    "greener": _cast("green", "greener"),
    "bluer": _cast("blue", "bluer"),
    "sharper": Words(
        "detail", {"sharp": 1}, verbs=("sharpen {it}", "sharpen the details"), fixed=("make {it} crisp",),
        adjectives=("sharper", "crisper"), unwanted=("blurry", "fuzzy"), raised=("sharpness", "crispness"),
        complaints=("{it} looks out of focus", "{it} is not sharp enough")),
    "blurrier": Words(
        "detail", {"sharp": -1}, verbs=("blur {it}", "blur the details", "soften the details"),
        adjectives=("blurrier", "more blurred"), unwanted=("sharp", "crisp"), lowered=("sharpness", "crispness"),
        raised=("blur",), complaints=("the details are too sharp", "{it} is not blurry enough")),
    "lifted shadows": Words(
        "light", {"bright": 1},
        verbs=("lift the shadows", "open up the shadows", "brighten the shadows", "brighten the dark areas",
               "bring out the shadows"),
        fixed=("make the shadows brighter",),
        complaints=("the shadows are too dark", "the dark areas are too dark")),
    "deeper midtones": Words(
        "light", {"bright": -1},
        verbs=("darken the midtones", "deepen the midtones", "bring down the midtones", "deepen the tones"),
        fixed=("make the midtones darker",),
        complaints=("the midtones are too bright", "the midtones are not dark enough")),
    "faded": Words(
        "contrast", {"contrast": -1},
        verbs=("fade {it}",), fixed=("give {it} a faded look", "give {it} a matte look", "add a fade to {it}"),
        adjectives=("more faded", "more matte"), raised=("fade",),
        complaints=("{it} should look faded", "{it} is not faded enough")),
    "unchanged": Words(
        "nothing",
        fixed=("leave {it} as it is", "leave {it} alone", "leave {it} the way it is", "keep {it} as it is",
               "keep {it} unchanged", "keep everything the same", "don't change anything", "don't edit {it}",
               "don't touch {it}", "change nothing", "do nothing", "do nothing to {it}", "make no changes",
               "make no changes to {it}", "keep {it} just like this", "leave everything as it was",
               "let {it} stay the way it is", "stop editing", "skip the edit"),
        complaints=("{it} is fine as it is", "{it} is perfect as it is", "{it} looks good already",
                    "{it} needs no editing", "{it} needs no changes", "no changes needed", "no edits please",
                    "nothing needs to be changed", "i like {it} the way it is", "{it} should stay as it is",
                    "there is nothing to change", "i don't want any changes", "{it} doesn't need anything",
                    "i am happy with {it} as it is", "{it} is already just right", "nothing to do here")),
    "removed": Words(
        "objects",
        fixed=("erase what is in {it}", *(
            f"{verb} the {thing} in {{it}}" for thing in ("object", "thing", "item")
            for verb in ("remove", "get rid of", "erase", "delete", "take out"))),
        complaints=("the object in {it} should go", "there should be nothing in {it}")),
}

# Words of degree by place: before a comparative, after a command, before a command, before "too"; "none" is for
# phrases that take no degree. A phrase with a place that a level lacks is not used for that level.
DEGREES = {
    "slight": {"before": ("slightly", "a little", "a bit", "a tad", "a touch", "just a bit", "a little bit", "somewhat",
                          "a tiny bit", "ever so slightly"),
               "after": ("a little", "a bit", "slightly", "a little bit", "a touch", "just a bit", "gently", "subtly",
                         "very slightly", "just a little", "a tiny bit", "only a bit"),
               "pre": ("slightly", "gently", "subtly"), "too": ("a little", "slightly", "a bit", "a touch")},
    "plain": {"before": ("",), "after": ("",), "too": ("",), "none": ("",)},
    "strong": {"before": ("a lot", "much", "far", "considerably", "way", "very much", "a good deal", "significantly",
                          "dramatically", "a whole lot"),
               "after": ("a lot", "strongly", "considerably", "by a lot", "very much", "heavily", "dramatically",
                         "significantly", "quite a lot", "as much as you can"),
               "pre": ("strongly", "significantly", "heavily"), "too": ("way", "far", "much", "extremely", "really")},
}
PERCENT = {"before": ("{}%", "about {}%"), "after": ("by {}%", "about {}%", "by {} percent")}

RAISE = ("increase", "raise", "boost", "turn up", "bring up", "pump up", "enhance")
LOWER = ("decrease", "reduce", "lower", "turn down", "bring down", "tone down", "cut")


@dataclass(frozen=True)
class Form:
    """A phrase round one of the Words (`slot`, at {x}) with one place for a degree; commands can be made polite."""

    template: str
    slot: str
    degree: str
    command: bool = True


FORMS = (
    Form("{x} {d}", "verbs", "after"),
    Form("{d} {x}", "verbs", "pre"),
    Form("make {it} {d} {x}", "adjectives", "before"),
    Form("make {it} look {d} {x}", "adjectives", "before"),
    Form("{d} {x}", "adjectives", "before", command=False),
    Form("{it} should be {d} {x}", "adjectives", "before", command=False),
    Form("i want {it} {d} {x}", "adjectives", "before", command=False),
    Form("make {it} {d} less {x}", "unwanted", "before"),
    Form("{d} less {x}", "unwanted", "before", command=False),
    Form("{it} is {d} too {x}", "unwanted", "too", command=False),
    Form("{it} looks {d} too {x}", "unwanted", "too", command=False),
    *(Form(f"{verb} the {{x}} {{d}}", "raised", "after") for verb in RAISE),
    *(Form(f"{verb} the {{x}} of {{it}} {{d}}", "raised", "after") for verb in RAISE[:2]),
    Form("add {d} more {x}", "raised", "before"),
    Form("give {it} {d} more {x}", "raised", "before"),
    Form("{d} more {x}", "raised", "before", command=False),
    Form("{it} needs {d} more {x}", "raised", "before", command=False),
    *(Form(f"{verb} the {{x}} {{d}}", "lowered", "after") for verb in LOWER),
    *(Form(f"{verb} the {{x}} of {{it}} {{d}}", "lowered", "after") for verb in LOWER[:2]),
    Form("give {it} {d} less {x}", "lowered", "before"),
    Form("{d} less {x}", "lowered", "before", command=False),
    Form("{it} needs {d} less {x}", "lowered", "before", command=False),
    Form("{x}", "fixed", "none"),
    Form("{x}", "complaints", "none", command=False),
)

THINGS = ("it", "it", "it", "the photo", "the image", "the picture", "this photo", "this image")
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

JOINS = (" and ", ", ", ", and ", ". ", ", then ", " and also ")
POLITE = ("please {}", "{}, please", "could you {}?", "could you please {}?", "can you {}?", "would you {}?",
          "i'd like you to {}", "i want you to {}", "try to {}", "just {}")
KEEP = ("don't touch the {k}, just {}", "{} without changing the {k}", "keep the {k} as before, but {}",
        "leave the {k} alone and {}", "{} but don't change the {k}", "{}, not the {k}", "only {}, leave the {k}",
        "no change to the {k}, only {}", "{}, but keep the {k} the same", "the {k} should stay, just {}")
KEPT = {"colors": ("color", "cast"), "brightness": ("light", "contrast"), "contrast": ("light", "contrast"),
        "sharpness": ("detail",)}  # word: the topics (Words.about) that would change it
BRITISH = {"color": "colour", "colors": "colours", "colorful": "colourful", "center": "centre", "gray": "grey"}
POLITE_SHARE, KEEP_SHARE, BRITISH_SHARE, CAPITAL_SHARE, STOP_SHARE = 0.35, 0.1, 0.25, 0.5, 0.4


_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {key: row[max(at - 1, 0):at] + row[at + 1:at + 2] for row in _ROWS for at, key in enumerate(row)}


def describe(wishes, rng):
    """Return one sentence that asks for all of `wishes`, in their order.

    Args:
        wishes: Wish values; a wish for "removed" or "unchanged" or with a region reads best alone.
        rng: a numpy Generator; the same state gives the same sentence.
    """
    thing, clauses, commands = _choose(rng, THINGS), [], []
    for wish in wishes:
        clause, command = _clause(wish, thing, rng)
        clauses.append(clause)
        commands.append(command)
        thing = "it"  # named once, then referred to
    sentence = clauses[0] + "".join(_choose(rng, JOINS) + clause for clause in clauses[1:])
    if all(commands) and ". " not in sentence:
        sentence = _wrap(sentence, {WORDS[wish.effect].about for wish in wishes}, rng)
    if rng.random() < BRITISH_SHARE:
        sentence = re.sub(r"\w+", lambda word: BRITISH.get(word[0], word[0]), sentence)
    if rng.random() < CAPITAL_SHARE:
        sentence = re.sub(r"(^|[.] )(\w)", lambda start: start[1] + start[2].upper(), sentence)
    return sentence + "." * (sentence[-1] != "?" and rng.random() < STOP_SHARE)


def misspell(sentence, rng):
    """Return the sentence with a slip of the finger in one or two of its longer words."""
    words = sentence.split(" ")
    long = [index for index, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for index in rng.permutation(long)[:rng.integers(1, 3)]:
        word, at = words[index], int(rng.integers(1, len(words[index]) - 1))   # the first letter is mostly right
        before, letter, after = word[:at], word[at], word[at + 1:]
        near = _choose(rng, _NEAR.get(letter.lower(), letter))
        slips = (after[0] + letter + after[1:], after, letter + letter + after, near + after)
        words[index] = before + _choose(rng, slips)
    return " ".join(words)


def intent(wishes):
    """Return the signs of `wishes` as RetouchReq's annotations give them, such as {"bright": 1, "sat": -1}."""
    return {key: sign for wish in wishes for key, sign in WORDS[wish.effect].intent.items()}


@functools.cache
def all_words():
    """Return the words, in lower case, that the sentences are made of, as a sorted tuple."""
    phrases = [*(phrase for words in WORDS.values() for slot in astuple(words) if isinstance(slot, tuple)
                 for phrase in slot), *(form.template for form in FORMS), *POLITE, *KEEP, *KEPT, *BRITISH,
               *BRITISH.values(), *THINGS, *(text for level in DEGREES.values() for texts in level.values()
                                             for text in texts)]
    return tuple(sorted({word for phrase in phrases for word in re.findall(r"[a-z]+", re.sub("{.*?}", "", phrase))
                         if len(word) > 1}))


def region_of(mask):
    """Return the key of REGIONS for where the centre of an (H, W) mask lies."""
    rows, columns = mask.nonzero()
    return (int(3 * rows.mean() / mask.shape[0]), int(3 * columns.mean() / mask.shape[1]))


def _clause(wish, thing, rng):
    """Return (phrase, whether it is a command) for one wish: first the kind of word, then a form that fits it."""
    words = WORDS[wish.effect]
    if isinstance(wish.level, int):
        degrees = {place: tuple(text.format(wish.level) for text in texts) for place, texts in PERCENT.items()}
    else:
        degrees = DEGREES[wish.level]
    forms = [form for form in FORMS if getattr(words, form.slot) and form.degree in degrees]
    slot = _choose(rng, sorted({form.slot for form in forms}))
    form = _choose(rng, [form for form in forms if form.slot == slot])
    place = _choose(rng, REGIONS[wish.region]) if wish.region else thing
    phrase = form.template.replace("{x}", _choose(rng, getattr(words, slot)))
    text = phrase.format(it=place, d=_choose(rng, degrees[form.degree]))
    if wish.region and "{it}" not in phrase:
        text += f" in {place}"
    text = re.sub(r"\bin (the \w+ side)", r"on \1", " ".join(text.split()))
    return text.replace(" of it", ""), form.command  # nobody says "the contrast of it"


def _wrap(sentence, topics, rng):
    """Say what to leave alone, or say it politely, or leave the command as it is."""
    chance = rng.random()
    if chance < KEEP_SHARE:
        kept = [word for word, touched_by in KEPT.items() if not topics & set(touched_by)]
        return _choose(rng, KEEP).format(sentence, k=_choose(rng, kept)) if kept else sentence
    return _choose(rng, POLITE).format(sentence) if chance < KEEP_SHARE + POLITE_SHARE else sentence


def _choose(rng, options):
    return options[rng.integers(len(options))]
