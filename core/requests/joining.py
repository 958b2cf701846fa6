"""Joins the words of one wish in a part of a sentence: "deep blacks", "warmer colours", "clear the haze"."""
from collections.abc import Sequence

from core.requests.clauses import has, is_inside
from core.requests.found import MENDS, SHADES, UNWANTED, ZONES, Found
from core.requests.wish import COLOURS
from core.requests.words import Word

DEPTHS = (("deepens", -1), ("pales", -1), ("crushes", 1))   # directions of words about shadows and blacks


def join(words: list[Word], found: list[Found], before: Sequence[Found]) -> list[Found]:
    """Return the wishes that remain of those found in a part; `before` are the earlier wishes of the request."""
    found = _adjectives(words, found, before)
    soft = next((one for one in found if one.word.text.startswith("soft")), None)
    mild = [one for one in found if one.attribute != "sharpness" and one.kind == "nouns"]
    if soft and not mild and has(words, "pronoun"):   # "the contrast is brutal, soften it"
        mild = [one for one in before[-1:] if one.attribute in MENDS and one.kind == "nouns"]
    if soft and mild:   # "softer contrast"
        found.remove(soft)
        for one in mild:
            one.turn(-1)
    removes = any(word.text.startswith("remov") for word in words)
    for one in found:
        if one.waits and one.attribute in MENDS and has(words, "repair"):
            one.mend()
        if one.attribute == "grain" and one.sign < 0 and (one.kind == "states" or removes) and not any(
                word.text == "film" for word in words):
            one.attribute = "noise"
    return [one for one in found if not _belongs(one, found, words)]


def _adjectives(words, found, before):
    """Let adjectives change the zones, colours and effects that they describe: "deep blacks", "a richer green"."""
    light = next((one for one in found if one.attribute in ("light", "highlights") and not one.named), None)
    rich = next((one for one in found if one.attribute in ("saturation", "contrast") and not one.named), None)
    clear = next((one for one in found if one.attribute == "sharpness" and one.word.text.startswith("cle")), None)
    refers = len(found) == 1 and any(word.text in ("it", "them", "they", "those", "that") for word in words)
    before = list(before[-1:]) if refers else []
    harsh = [one for one in found if rich and rich.attribute == "contrast" and rich.kind == "states"
             and one.attribute == "sharpness" and one.kind == "nouns"]   # "ease off that harsh sharpness"
    zones = [one for one in found if one.attribute in ZONES and one is not light]
    inside = [one for one in zones if is_inside(words, one.word) and any(
        other.attribute in SHADES for other in found)]   # "the blue cast in the shadows"
    zones = [one for one in zones if one not in inside]
    if light and not zones:
        zones = [one for one in before if one.attribute in ZONES]   # "they are too dark"
    shades = [one for one in found if one.attribute in COLOURS and one.kind in ("nouns", "states")]
    dirt = [one for one in [*found, *before] if one.attribute in UNWANTED]
    detail = [one for one in found if one.attribute == "sharpness" and one.kind == "nouns" and zones]
    for one in zones:
        _turn_zone(one, words, light, rich)
    for one in shades if rich and rich.attribute == "saturation" else ():
        one.turn(rich.sign)
    for one in dirt if clear else ():
        one.turn(-1)   # "clear the haze"
    # "Harsh highlights" and "richer blacks" are wishes for the zones.
    tones = zones and rich and (rich.attribute == "contrast" or has(words, "deepens"))
    joined = [(light or (rich if tones else None), zones), (None if tones else rich, shades), (clear, dirt)]
    gone = [one for one, heads in joined if one and heads]
    gone += [rich] if harsh else []
    gone += [one for one in dirt if zones and one.kind == "states" and "pales" in one.word.roles]   # "milky blacks"
    return [one for one in found if one not in [*gone, *inside, *detail]]


def _turn_zone(zone, words, light, rich):
    """Give a zone of light the direction of the adjectives and verbs of its part."""
    dark = zone.attribute in ("shadows", "blacks")
    sign = next((sign for role, sign in DEPTHS if dark and has(words, role)), 0)
    if dark and any("depths" in word.roles and has(words[max(at - 2, 0):at], "turn") for at, word in enumerate(words)):
        sign = 1   # "not so deep"
    if has(words, "rescues") and zone.attribute != "midtones":
        sign = 1 if dark else -1
    if light:
        sign = light.sign
    elif not sign and zone.attribute == "shadows" and has(words, "removes"):
        sign = 1
    elif not sign and rich and rich.attribute == "contrast":
        sign = -1   # "harsh highlights"
    if sign and zone.sign:
        zone.turn(sign)


def _belongs(one, found, words):
    """Return whether a word belongs to another wish of its part: "warmer colors", "darken the natural light"."""
    others = [other for other in found if other is not one]
    if (one.waits or one.kind == "states") and any(
            other.attribute == one.attribute and other.kind == "changes" for other in others):
        return True
    if not others or one.attribute not in ("saturation", "cast repair") or any(
            word.text == "full" for word in words):
        return False
    before = [word.text for word in words if word.start < one.word.start and "article" not in word.roles][-1:]
    adjective = any(other.kind in ("changes", "states") for other in others)
    return one.attribute == "cast repair" or (
        "hues" in one.word.roles and (adjective or before in (["of"], ["to"], ["in"], ["for"])))
