"""The grammar: turns wishes into a sentence that asks for them, by random phrases and templates."""
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from core.requests import phrases, templates
from core.requests.phrases import OPPOSITES, WORDS
from core.requests.templates import DEGREES, FORMS, NOUN_FORMS, PERCENT, REGIONS
from core.requests.wish import Wish

# Probabilities of the variants that `core.requests.templates` lists.
POLITE, KEEP, KEEP_FROM, MEND, ALL_OVER = 0.3, 0.12, 0.04, 0.15, 0.06
TOGETHER, BOTH, ONCE, COMPLAIN_FIRST, OPPOSED = 0.45, 0.2, 0.5, 0.08, 0.05
WHILE, ONE_VERB, WITH = 0.3, 0.25, 0.5
BARE, NO_ARTICLE, FAULTS = 0.2, 0.3, 0.5
SHORT, BRITISH, CAPITAL, STOP = 0.5, 0.25, 0.5, 0.4
LONGEST, ATTEMPTS = 15, 4   # words that a word vocabulary reads; attempts to make a sentence of at most LONGEST words

_PLURAL = re.compile(r"\b(the (?:\w+ )?(?:colors|hues|tones|details|edges)) (" + "|".join(templates.PLURAL) + r")\b")


def describe(wishes: Sequence[Wish], rng: np.random.Generator) -> str:
    """Return one sentence that asks for all of `wishes`, in their order.

    Args:
        wishes: Wish values whose degree is one of LEVELS or an int in per cent. Their places are keys of REGIONS, or
            words. Give a wish for "removal" or "unchanged" alone, and a wish with a place alone or last; other
            combinations sound unnatural.
        rng: a numpy Generator; the same state gives the same sentence.
    """
    for _ in range(ATTEMPTS):
        thing = choose(rng, templates.THINGS)
        sentence, kind = _together(wishes, thing, rng) or _one_by_one(wishes, thing, rng)
        if ". " not in sentence or kind == "fault":
            sentence = _wrap(sentence, kind, wishes, rng)
        if len(sentence.split()) <= LONGEST:
            break
    for long, short in templates.SHORT.items():
        if long in sentence and rng.random() < SHORT:
            sentence = re.sub(rf"(?<!as )\b{long}\b(?= )", short, sentence)
    if rng.random() < BRITISH:
        sentence = re.sub(r"\w+", lambda word: templates.BRITISH.get(word[0], word[0]), sentence)
    if rng.random() < CAPITAL:
        sentence = re.sub(r"(^|[.] )(\w)", lambda start: start[1] + start[2].upper(), sentence)
    return sentence + "." * (sentence[-1] != "?" and rng.random() < STOP)


def intent(wishes: Iterable[Wish]) -> dict[str, int]:
    """Return the signs of `wishes` under the keys of RetouchReq's annotations, such as {"bright": 1, "sat": -1}.

    Wishes for which the grammar has no words, such as a vignette, are left out.
    """
    return {key: sign for wish in wishes if wish.direction in WORDS
            for key, sign in WORDS[wish.direction].intent.items()}


@functools.cache
def all_words() -> tuple[str, ...]:
    """Return all words that sentences can have, and a few other words of the tables, lower case, in sorted order."""
    said = " ".join(_strings({name: value for name, value in (vars(phrases) | vars(templates)).items()
                              if name.isupper()}))
    return tuple(sorted({word for word in re.findall(r"[a-z]+", re.sub("{.*?}", " ", said.lower().replace("'", "")))
                         if len(word) > 1}))


def _strings(value):
    """Yield the strings in a table of nested dicts, tuples and dataclasses."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings(tuple(key for key in value if isinstance(key, str)))   # other keys hold no words
        yield from _strings(tuple(value.values()))
    elif isinstance(value, tuple):
        for part in value:
            yield from _strings(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in fields(value):
            yield from _strings(getattr(value, name.name))


def region_of(mask: np.ndarray) -> tuple[int, int]:
    """Return the key of REGIONS for the ninth of the image that holds the centroid of a non-empty mask (H, W)."""
    rows, columns = mask.nonzero()
    return (int(3 * rows.mean() / mask.shape[0]), int(3 * columns.mean() / mask.shape[1]))


def _together(wishes, thing, rng):
    """Return (phrase, kind) of several wishes in one form, "make it brighter and warmer", or None."""
    if len(wishes) < 2 or any(wish.where for wish in wishes) or rng.random() >= TOGETHER:
        return None
    same = len({wish.degree for wish in wishes}) == 1
    if same and rng.random() < ONE_VERB and (said := _by_one_verb(wishes, thing, rng)):
        return said, "command"
    forms = [form for form in FORMS if "[" in form.template and all(
        getattr(WORDS[wish.direction], form.slot) and form.degree in _degrees(wish) for wish in wishes)
        and (same or "{d}" in form.template[form.template.index("["):form.template.index("]")])]
    if not forms:
        return None
    faults = [form for form in forms if form.kind == "fault"]
    form = choose(rng, faults if faults and rng.random() < FAULTS else _of_one_slot(forms, rng))
    before, part, after = re.split(r"[\[\]]", form.template)
    once = same and form.degree in ("before", "after", "amount") and rng.random() < ONCE
    told = 0 if form.degree != "after" else len(wishes) - 1   # the index of the part that states a shared degree
    parts = [_fill(part, choose(rng, getattr(WORDS[wish.direction], form.slot)), thing,
                   "" if once and place != told else choose(rng, _degrees(wish)[form.degree]))
             for place, wish in enumerate(wishes)]
    both = "both " if len(wishes) == 2 and not before.endswith("a ") and rng.random() < BOTH else ""
    joined = both + ", ".join(part.strip() for part in parts[:-1]) + " and " + parts[-1]
    degree = choose(rng, _degrees(wishes[0])[form.degree])
    return _tidy(_fill(before, "", thing, degree) + joined + _fill(after, "", thing, degree)), form.kind


def _by_one_verb(wishes, thing, rng):
    """Return a phrase such as "soften the contrast and the details a bit", or None if the wishes share no verb."""
    objects = [dict(verb.split(" the ", 1) for verb in WORDS[wish.direction].verbs if " the " in verb)
               for wish in wishes]
    verbs = sorted(set.intersection(*map(set, objects)))
    if not verbs or "after" not in _degrees(wishes[0]):
        return None
    verb = choose(rng, verbs)
    article = "" if rng.random() < NO_ARTICLE else "the "
    parts = [article + known[verb] for known in objects]
    both = "both " if len(parts) == 2 and rng.random() < BOTH else ""
    degree = choose(rng, _degrees(wishes[0])["after"])
    return _tidy(_fill(f"{verb} {both}{', '.join(parts[:-1])} and {parts[-1]} {degree}", "", thing, ""))


def _doing(command):
    """Return a command with its verb as a gerund: "muting the colors"; an adverb before the verb stays unchanged."""
    words = command.split(" ")
    place = next((index for index, word in enumerate(words) if not word.endswith("ly")), 0)
    verb = words[place]
    doubled = verb + verb[-1] if re.fullmatch("[^aeiou]*[aeiou][mptg]", verb) else verb   # dimming, cutting, upping
    words[place] = (doubled.removesuffix("e") if not doubled.endswith("ee") else doubled) + "ing"
    return " ".join(words)


def _one_by_one(wishes, thing, rng):
    """Return (phrase, kind) of a sentence with one clause per wish; clauses of different kinds are "mixed"."""
    sentence, kind = _clause(wishes[0], thing, rng)
    for wish in wishes[1:]:
        clause, other = _clause(wish, "it", rng)   # the first clause names the photo, the others say "it"
        joins = templates.JOINS_TO_NOUN if other == "noun" and kind in ("noun", "fragment") else templates.JOINS
        if other == "noun" and kind == "command" and rng.random() < WITH:
            joins = templates.JOINS_TO_PART
        if kind == other == "command" and clause[:2] != "do" and rng.random() < WHILE:
            joins, clause = templates.JOINS_TO_DOING, _doing(clause)
        sentence += choose(rng, joins) + clause
        kind = "fault" if "fault" in (kind, other) else kind if kind == other else (
            "noun" if {kind, other} == {"noun", "fragment"} else "mixed")
    return sentence, kind


def _clause(wish, thing, rng):
    """Return (phrase, kind) of one wish: draws a slot of words first, then a form for this slot."""
    words, degrees, chance = WORDS[wish.direction], _degrees(wish), rng.random()
    place = wish.where if isinstance(wish.where, str) else choose(rng, REGIONS[wish.where]) if wish.where else thing
    if chance < OPPOSED and wish.direction in OPPOSITES:
        opposite = WORDS[OPPOSITES[wish.direction]]
        template = choose(rng, templates.OPPOSED).replace("{o}", choose(rng, opposite.adjectives))
        phrase = _fill(template, choose(rng, words.adjectives), place, choose(rng, degrees["before"]))
        return _located(phrase, template, wish, place), "mixed"
    if words.aspects and rng.random() < 0.25:
        words = choose(rng, words.aspects)
        forms = [form for form in FORMS if "{it}" in form.template and form.slot != "wanted"] + list(NOUN_FORMS)
    else:
        forms = FORMS
    forms = [form for form in forms if getattr(words, form.slot, None) and form.degree in degrees]
    form = choose(rng, _of_one_slot(forms, rng))
    said = choose(rng, getattr(words, form.slot))   # may contain {it}
    if form.slot == "verbs" and not wish.where and rng.random() < BARE:
        said = re.sub(templates.BARE, r"\1", said)
    template = form.template.replace("{x}", said)
    if words.noun != "it":
        template = template.replace("{it}", f"the {words.noun}").replace("{n}", words.noun)
        template = template.replace("{photo}", "{it}")
    text = _located(_fill(template, "", place, choose(rng, degrees[form.degree])), template, wish, place)
    if OPPOSED <= chance < OPPOSED + COMPLAIN_FIRST and form.kind == "command" and WORDS[wish.direction].unwanted:
        text = _tidy(f"{place} is too {choose(rng, WORDS[wish.direction].unwanted)}, {text}")
        return text, "mixed"
    return text, form.kind


def _located(text, template, wish, place):
    return _tidy(f"{text} in {place}" if wish.where and "{it}" not in template else text)


def _of_one_slot(forms, rng):
    """Return the forms of one slot; each slot has the same probability, however few forms it has.

    Faults count as a slot of their own: "it is dark" asks for the reverse of "make it dark".
    """
    slots = [(form.slot, form.kind == "fault") for form in forms]
    chosen = choose(rng, sorted(set(slots)))
    return [form for form, slot in zip(forms, slots, strict=True) if slot == chosen]


def _degrees(wish):
    if wish.degree not in DEGREES:
        return {place: tuple(text.format(wish.degree) for text in texts) for place, texts in PERCENT.items()}
    return DEGREES[wish.degree]


def _fill(template, word, thing, degree):
    return template.replace("{x}", word).replace("[", "").replace("]", "").format(it=thing, d=degree)


def _tidy(text):
    text = re.sub(r"\bin (the \w+ side)", r"on \1", " ".join(text.split()))
    text = _PLURAL.sub(lambda found: f"{found[1]} {templates.PLURAL[found[2]]}", text)
    return text.replace(" of it", "")   # nobody says "the contrast of it"


def _wrap(sentence, kind, wishes, rng):
    """Add a proviso ("without changing the colors"), politeness or "fix it", or nothing."""
    chance, topics = rng.random(), {WORDS[wish.direction].about for wish in wishes}
    if kind == "fault" or (kind == "statement" and chance < MEND and topics != {"nothing"}):
        return choose(rng, templates.MEND + templates.MEND_ALL * (len(topics) > 1)).format(sentence)
    if kind not in templates.POLITE:
        return sentence
    if topics & {"nothing", "objects", "everything"}:
        chance += KEEP + KEEP_FROM   # no proviso goes with these topics
    if chance < KEEP:
        forms, keeps = ((templates.KEEP, templates.KEPT) if rng.random() < 0.75 else
                        (templates.KEEP_FROM_DOING, templates.DOING))
        kept = [word for word, touched_by in keeps.items() if not topics & set(touched_by)]
        return choose(rng, forms).format(sentence, k=choose(rng, kept)) if kept else sentence
    if chance < KEEP + KEEP_FROM:
        others = [direction for direction in OPPOSITES if WORDS[direction].about not in topics]
        other = choose(rng, WORDS[choose(rng, others)].adjectives) if others else None
        return choose(rng, templates.KEEP_FROM).format(sentence, o=other) if others else sentence
    if chance < KEEP + KEEP_FROM + ALL_OVER and not any(wish.where for wish in wishes) and "nothing" not in topics:
        return sentence + choose(rng, templates.ALL_OVER)
    if chance < KEEP + KEEP_FROM + ALL_OVER + POLITE:
        return choose(rng, templates.POLITE[kind]).format(sentence)
    return sentence


def choose(rng: np.random.Generator, options: Sequence[Any]) -> Any:
    """Return a random element of `options`, any sequence, with equal probabilities."""
    return options[rng.integers(len(options))]
