"""A rule that picks real requests with one unambiguous wish from annotations.

The rule picks a request if the tables below hold each of its words and the words name one attribute in one direction:
"Please increase the contrast of the image a lot." is contrast+. An unknown word ("sky", "not", "but", "red") drops the
request, so the rule need not recognise negations, places, objects or second wishes. If the annotation has an `intent`
({"contrast": 1}), it must agree with the words, because some workers wrote the opposite.
"""
import re

import numpy as np

from core.metrics.obedience import Item

# Words that name attribute and direction at once, and nouns that need one of the verbs below.
DIRECT = {
    "bright+": "brighten brightening brightened brighter lighten lightening lighter illuminate underexposed",
    "bright-": "darken darkening darkened darker dim dimmer overexposed",
    "sat+": "saturate colorful colourful vivid vibrant",
    "sat-": "desaturate desaturated",
    "warm+": "warm warmer",
    "warm-": "cool cooler colder",
    "sharp+": "sharpen sharpening sharper crisper",
    "sharp-": "blur blurrier unsharpen",
}
NOUNS = {
    "bright": "brightness exposure light luminosity lightness", "contrast": "contrast",
    "sat": "saturation vibrance vibrancy", "warm": "warmth", "sharp": "sharpness",
}
UP = "increase raise boost add more enhance improve up higher strengthen adding increasing"
DOWN = "decrease reduce lower less lessen decreasing lowering reducing"
# Words that change neither attribute nor direction. "color" may accompany a word for saturation or warmth, but alone it
# names no attribute.
FILLERS = """
    a an the this that it its image images photo photograph picture pic of in to for is be make making makes give
    please pls can could you would i want like just bit little lot lots slightly somewhat very much some by amount
    small large tiny touch tad whole entire overall level levels input quite really considerably significantly
    greatly moderately slight great deal so needs need should and
"""
COLORED = {"sat", "warm"}
COLOR_WORDS = {"color", "colors", "colour", "colours", "tone", "tones"}

_DIRECT = {word: key for key, words in DIRECT.items() for word in words.split()}
_NOUNS = {word: name for name, words in NOUNS.items() for word in words.split()}
_UP, _DOWN, _FILLERS = set(UP.split()), set(DOWN.split()), set(FILLERS.split())


def direction_of(request):
    """Return the one direction that a request asks for, such as "bright+", or None for no or several directions."""
    words = re.findall(r"[^\W\d_]+(?:'\w+)?", request.lower())
    names, signs, others = set(), set(), set()
    for word in words:
        if word in _DIRECT:
            names.add(_DIRECT[word][:-1])
            signs.add(_DIRECT[word][-1])
        elif word in _NOUNS:
            names.add(_NOUNS[word])
        elif word in _UP or word in _DOWN:
            others.add("+" if word in _UP else "-")
        elif word in COLOR_WORDS:
            others.add("color")
        elif word not in _FILLERS:
            return None
    colored, verbs = "color" in others, others - {"color"}
    if len(names) != 1 or (colored and not names <= COLORED):
        return None
    if signs and verbs == {"-"}:
        return None   # "less warm" means cooler, but "warm" alone stands for warm+
    signs |= verbs
    return names.pop() + signs.pop() if len(signs) == 1 else None


def pick_requests(entries, per_direction, seed=0):
    """Pick real requests as items of the suite `direction_real`.

    Args:
        entries: annotation entries: `request` (text), or GIER's `expert_summary` and `amateur_summary` (lists of
            texts), with or without `intent`.
        per_direction: the most requests of each direction; `seed` chooses them from all that the rule finds.

    Returns: the items, ordered by direction, and {direction: how many different requests the rule found}.
    """
    found = {}
    for entry in entries:
        for request in _requests(entry):
            direction = direction_of(request)
            if direction and _agrees(direction, entry.get("intent")):
                found.setdefault(direction, {}).setdefault(request.lower().strip(" ."), request)
    rng, items = np.random.default_rng(seed), []
    for direction in sorted(found):
        unique = [found[direction][key] for key in sorted(found[direction])]
        chosen = rng.permutation(len(unique))[:per_direction]
        asks = {direction[:-1]: 1 if direction[-1] == "+" else -1}
        items += [Item("direction_real", unique[index], asks) for index in sorted(chosen)]
    return items, {direction: len(requests) for direction, requests in sorted(found.items())}


def _requests(entry):
    texts = [entry.get("request")]
    for field in ("expert_summary", "amateur_summary"):
        value = entry.get(field)
        texts += value if isinstance(value, list) else []
    return [" ".join(text.split()) for text in texts if isinstance(text, str)]


def _agrees(direction, intent):
    return not isinstance(intent, dict) or intent.get(direction[:-1]) == (1 if direction[-1] == "+" else -1)
