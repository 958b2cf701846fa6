"""The gate: LDIE edits a photo only if it understands the request, and checks each wish on a preview of the result.

The reader turns the request into wishes. If LDIE can do none of them, nothing is edited (`Refusal`). Otherwise the
planner plans, its plan is executed on a preview, and each wish is measured there. Steps of the keyword plan
(`core.methods.wishes`) serve the wishes that the planner fails, that its operators cannot serve, or that name a number.
"""
import functools
from collections.abc import Sequence
from typing import Any

import torch
from tabulate import tabulate

from core.datasets.vocab import remarks
from core.files import UserError
from core.filters import preview
from core.methods.checks import Outcome, barred, checked, serves, without
from core.methods.planner import Edited, PlannerMethod
from core.methods.repairs import operators_of
from core.methods.wishes import last_of_each, serve
from core.metrics.attributes import MEASURES, measured
from core.models.tagger import Tagger
from core.operators import Plan
from core.pretrained import minilm_folder
from core.requests import reader
from core.requests.reader import Reading
from core.requests.saying import said
from core.requests.wish import CANNOT, COLOURS, FILLS, GEOMETRY, LEVELS, LOOKS, REPAIRS, Guess, Wish
from core.requests.words import respelt
from core.threads import threads_for

EXAMPLES = ("make it a bit brighter", "warmer, with less contrast")   # requests that can be done
MOST_WORDS = 1000      # of a request
MOST_QUOTED = 5        # unknown words that are quoted
LONGEST_QUOTE = 60     # characters
PLANNER, KEYWORDS, FILL = "planner", "keyword plan", "fill"   # origins of a step
NAMELESS = "removal: the request does not name the thing; name it, or show it by a mask or the words of a region"
PLAIN = 0.3            # spread of L*, or mean chroma, below which a photo has no tones, or no colours


class Refusal(UserError):
    """The error for a request that holds nothing LDIE can do: one sentence; `reading` is the reader's result."""

    code = 3

    def __init__(self, reasons: Sequence[str], reading: Reading | None = None) -> None:
        super().__init__(f"nothing was edited: {'; '.join(reasons)}; ask for a change of the whole photo, such as "
                         f'"{EXAMPLES[0]}" or "{EXAMPLES[1]}"')
        self.reading = reading or Reading()


class Answer(Edited):
    """The edit of a photo by a request: the plan, and the outcome of each wish.

    `outcomes` has one for each wish that was planned for; `origins` tells for each step whose it is, PLANNER or
    KEYWORDS. `remarks` are sentences on the words that the planner cannot read. `regions` are the regions of local
    wishes, which are told by `str`; None if only wishes for the whole photo are served. `missing` are sentences on
    regions that were not found, and on what a fill leaves.
    """

    def __init__(self, photo: torch.Tensor, plan: Plan, request: str, reading: Reading,
                 outcomes: Sequence[Outcome] = (), origins: Sequence[str] = (), remarks: Sequence[str] = (),
                 regions: Sequence[Any] | None = None, missing: Sequence[str] = ()) -> None:
        super().__init__(photo, plan)
        self.request, self.reading, self.outcomes, self.origins = request, reading, tuple(outcomes), tuple(origins)
        self.remarks = list(remarks) if self.planned else []
        self.regions, self.missing = regions, list(missing)

    @property
    def planned(self) -> int:
        """The number of the planner's steps."""
        return self.origins.count(PLANNER)

    @property
    def notes(self) -> list[str]:
        """A sentence for each region, and for each part of the request that was not done or made no visible change."""
        regions = [f"region {region}" for region in self.regions or ()]
        return [*regions, *self.missing, *left_out(self.request, self.reading, local=self.regions is not None),
                *(_missed(outcome, self.photo) for outcome in self.outcomes if outcome.idle or not outcome.granted)]

    def wishes(self) -> list[dict]:
        """Return all wishes of the request as JSON values; `granted` is None for a wish that was not measured."""
        found = {outcome.wish: outcome.granted for outcome in self.outcomes}
        return as_rows(self.reading, found | {wish: True for wish in self.reading.wishes
                                              if wish.attribute == "unchanged" and not self.plan.steps})

    def explain(self) -> str:
        """Return two tables: the wishes with the words that state them, and the steps with their origin."""
        done = {outcome.wish: outcome for outcome in self.outcomes}
        wishes = [(_described(wish), _quoted(self.request, wish), *_measured(done.get(wish)),
                   {True: "yes", False: "no", None: ""}[row["granted"]], _source(done.get(wish)))
                  for wish, row in zip(self.reading.wishes, self.wishes(), strict=True)]
        steps = [(index, step.op, step.describe(), origin, step.mask.region if step.mask else "")
                 for index, (step, origin) in enumerate(zip(self.plan, self.origins, strict=True), 1)]
        return "\n".join([
            tabulate(wishes, headers=("wish", "words", "measured change", "visible from", "granted", "by"),
                     disable_numparse=True), "",
            tabulate(steps or [("-", "nothing", "", "", "")], headers=("step", "operator", "parameters", "from",
                                                                       "region")),
            *(f"planner: {sentence}" for sentence in self.remarks), *self.notes])


@functools.cache
def load_tagger() -> Tagger | None:
    """Return the tagger that ships, or None without MiniLM's package; then the rules read alone."""
    try:
        minilm_folder()
    except UserError:
        return None
    return Tagger.load()


@functools.lru_cache(1000)   # many photos get the same request, and local wishes read it again
def guesses(request: str) -> tuple[Guess, ...]:
    """Return the tagger's guesses; it is loaded at the first request that it votes on."""
    tagger = load_tagger()
    return tuple(tagger(request)) if tagger else ()


def understand(request: str, local: bool = False) -> Reading:
    """Return the Reading of a request that asks for an edit that LDIE can do, or to change nothing.

    With `local`, edits of a part of the photo count as edits that LDIE can do. Raises Refusal for any other text; its
    sentence names the words and wishes that LDIE does not know or cannot do.
    """
    words = request.split()
    if len(words) > MOST_WORDS:
        raise Refusal([f"the request has {len(words)} words, and at most {MOST_WORDS} are read"])
    if not any(character.isalnum() for character in request):
        raise Refusal(["the request has no words"])
    reading = reader.read(request, guesses)
    asked = [wish for wish in reading.wishes if wish.sign != 0 and wish.attribute != "unchanged"]
    can = any(wish.executable or (local and is_local(wish)) for wish in asked)
    if not can and (asked or not reading.wishes or reading.contradictions):
        raise Refusal(left_out(request, reading, local) or ["no change of a photo was found in the request"], reading)
    return reading


def is_local(wish: Wish) -> bool:
    """Return whether a wish changes a part of the photo: it edits, fills or paints a region."""
    return wish.sign != 0 and (wish.attribute in FILLS or (
        wish.where is not None and wish.attribute in (*LOOKS, *REPAIRS)))


def left_out(request: str, reading: Reading, local: bool = False) -> list[str]:
    """Return a reason for each part of a request that cannot be done or was not understood.

    With `local`, wishes for a part of the photo can be done.
    """
    reasons = []
    for wish in reading.wishes:
        what = _quote(wish.where) if isinstance(wish.where, str) else _quoted(request, wish)
        if wish.attribute in CANNOT:
            reasons.append(f"{wish.attribute}{f' ({what})' if what else ''} cannot be done yet")
        elif wish.attribute in FILLS and not local:
            reasons.append(f"{wish.attribute}{f' ({what})' if what else ''} needs a method that finds regions")
        elif wish.where is not None and wish.sign != 0 and not (local and is_local(wish)):
            reasons.append(f"{wish.attribute}: is done for whole photos only, not for a part"
                           + (f" ({what})" if what else ""))
    reasons += [f"the request asks for both more and less {name}" for name in reading.contradictions]
    if reading.language:
        return [*reasons, f"the request seems to be in {reading.language}, and LDIE reads English only so far"]
    if words := list(dict.fromkeys(reading.not_understood)):
        more = f" and {len(words) - MOST_QUOTED} more" if len(words) > MOST_QUOTED else ""
        reasons.append(f"these words were not understood: {', '.join(map(_quote, words[:MOST_QUOTED]))}{more}")
    return list(dict.fromkeys(reasons))


def _quoted(request, wish):
    """Return the words of a wish in quotation marks; an empty text if the reader does not know them."""
    return _quote(request[slice(*wish.span)]) if wish.span else ""


def _quote(words):
    """Return words in quotation marks, on one line, without control characters, and shortened."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return f'"{line if len(line) <= LONGEST_QUOTE else line[:LONGEST_QUOTE - 4] + " ..."}"'


def as_rows(reading: Reading, granted_wishes: dict[Wish, bool | None]) -> list[dict]:
    """Return the wishes of a reading as JSON values: attribute, sign, degree, where, granted."""
    return [{"attribute": wish.attribute, "sign": wish.sign, "degree": wish.degree, "where": wish.where,
             "granted": granted_wishes.get(wish, None if wish.sign == 0 or wish.executable else False)}
            for wish in reading.wishes]


def _missed(outcome, photo):
    """Return the sentence for an executable wish without a visible change on a photo (3, H, W)."""
    wish = outcome.wish
    if wish.attribute == "straighten":
        return ("straighten: the photo's edges do not show how much it is tilted; name an angle, such as "
                '"rotate it by 2 degrees clockwise"')
    if wish.attribute == "removal":
        return f"removal of {_quote(wish.where or 'the region')}: something that looks like it is still there"
    if outcome.idle:
        return f"{wish.attribute}: the photo needs no repair"
    return f"asked: {_described(wish)}; not granted: {_hindrance(wish, photo) or 'no visible change on this photo'}"


def _hindrance(wish, photo):
    """Return why a photo (3, H, W) cannot grant a wish, or None if there is no evident reason."""
    small = preview(photo)[None]
    found = {name: value.item() for name, value in measured(small, ("light", "contrast", "saturation")).items()}
    if found["contrast"] < PLAIN:
        colour = "black" if found["light"] < 2 else "white" if found["light"] > 98 else "of one colour"
        return f"the photo is {colour}"
    if found["saturation"] < PLAIN and wish.attribute in ("saturation", *COLOURS):
        return "the photo has no colours"
    return None


def _described(wish):
    """Return a wish in a few words, such as "more light, slight" or "less haze of \"the hills\""."""
    way = {1: "more ", -1: "less ", 0: "keep "}[wish.sign] if wish.attribute in MEASURES else ""
    degree = "" if wish.degree == "plain" else f", {wish.degree}{'' if wish.degree in LEVELS else ' ' + wish.unit}"
    place = "" if wish.where is None else f" of {_quote(wish.where) if isinstance(wish.where, str) else 'a part'}"
    return f"{way}{wish.attribute}{place}{degree}"


def _measured(outcome):
    """Return the measured change of a wish and the smallest visible one, as texts."""
    if outcome is None or outcome.change is None:
        return "", ""
    measure = MEASURES.get(outcome.wish.attribute)
    return f"{outcome.change:+.2f}", f"{measure.visible:g}" if measure else ""


def _source(outcome):
    return "" if outcome is None else FILL if outcome.wish.attribute in FILLS else (
        KEYWORDS if outcome.served else PLANNER)


class Gate:
    """A planner behind the gate: a callable (photo (3, H, W) in [0, 1], request) -> Answer. Raises Refusal."""

    def __init__(self, planner: PlannerMethod) -> None:
        self.planner = planner

    def plans(self, image: torch.Tensor, requests: Sequence[str]) -> list[Answer]:
        """Return one Answer for each request on one photo (3, H, W) in [0, 1]."""
        return [self(image, request) for request in requests]

    @torch.no_grad()
    def __call__(self, image: torch.Tensor, request: str, reading: Reading | None = None) -> Answer:
        """Return the Answer; give the `reading` of the request where `understand` was called before."""
        reading, small = reading or understand(request), preview(image)
        wishes = last_of_each(reading.wishes)
        served = functools.cache(lambda: dict(serve(wishes, image)))   # few requests need the keyword plan
        if len(wishes) == 1 and wishes[0].attribute in GEOMETRY and not served()[wishes[0]]:
            raise Refusal([_missed(Outcome(wishes[0], False), image)], reading)
        lacking = [wish for wish in wishes if not self._trusts(wish)]
        planned, worded = (), self._worded(request, wishes)
        if len(lacking) < len(wishes):
            planned = without(self.planner.plans(image, [worded])[0].plan, barred(reading, wishes, small))
            lacking = [wish for wish in wishes if wish in lacking or not serves(planned, wish, small)]
        with threads_for(small.numel()):
            plan, outcomes, count = checked(small, wishes, lacking, planned, served, reading.wishes,
                                            self.planner.unasked)
        origins = [PLANNER] * count + [KEYWORDS] * (len(plan) - count)
        return Answer(image, plan, request, reading, outcomes, origins, remarks(self.planner.vocab, worded))

    def _worded(self, request, wishes):
        """Return the words that the planner gets for a request.

        They are the request, if it has no strange words and is not too long; else the request with corrected spelling,
        if that is so; else its wishes in plain words. If these have strange words of their own, they are the request.
        """
        vocab, plain = self.planner.vocab, said(wish for wish in wishes if wish.attribute in (*LOOKS, *REPAIRS))
        strange = vocab.strange(request)
        for form in (request, respelt(request, strange)):
            if not (vocab.strange(form) or vocab.too_long(form)):
                return form
        return plain if plain and set(vocab.strange(plain)) <= set(strange) else request

    def _trusts(self, wish):
        """Return whether the planner is asked for a wish: it has an operator for it, and the degree is no number."""
        return wish.degree in LEVELS and bool(operators_of(wish.attribute) & set(self.planner.operators))
