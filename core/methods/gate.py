"""The gate: LDIE edits a photo only if it understands the request, and checks each wish on a preview of the result.

The reader turns the request into wishes. If LDIE can do none of them, nothing is edited (`Refusal`). Otherwise the
planner plans, its plan is executed on a preview, and each wish is measured there. Steps of the keyword plan
(`core.methods.wishes`) serve the wishes that the planner fails, that its operators cannot serve, or that name a number.
"""
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from tabulate import tabulate

from core.datasets.vocab import remarks
from core.files import UserError
from core.methods.planner import Edited, PlannerMethod
from core.methods.repairs import CURES, lack
from core.methods.wishes import granted, joined, last_of_each, preview, serve
from core.metrics.attributes import MEASURES
from core.models.tagger import Tagger
from core.operators import TABLE, Plan, Step, execute
from core.pretrained import minilm_folder
from core.requests import reader
from core.requests.reader import Reading
from core.requests.wish import CANNOT, GEOMETRY, LEVELS, REPAIRS, Guess, Wish
from core.threads import threads_for

EXAMPLES = ("make it a bit brighter", "warmer, with less contrast")   # requests that can be done
MOST_WORDS = 1000      # of a request
MOST_QUOTED = 5        # unknown words that are quoted
LONGEST_QUOTE = 60     # characters


class Refusal(UserError):
    """The error for a request that holds nothing LDIE can do: one sentence; `reading` is the reader's result."""

    code = 3

    def __init__(self, reasons: Sequence[str], reading: Reading | None = None) -> None:
        super().__init__(f"nothing was edited: {'; '.join(reasons)}; ask for a change of the whole photo, such as "
                         f'"{EXAMPLES[0]}" or "{EXAMPLES[1]}"')
        self.reading = reading or Reading()


@dataclass(frozen=True)
class Outcome:
    """The outcome of an executable wish.

    `change` is the move of the attribute in its own units, or None for turns, which are not measured. `served` tells
    whether the keyword plan serves the wish; then `change` is the difference from the result without the wish's steps.
    `idle` marks a repair without a step: the photo does not need it.
    """

    wish: Wish
    granted: bool
    change: float | None = None
    served: bool = False
    idle: bool = False


class Answer(Edited):
    """The edit of a photo by a request: the plan, and the outcome of each wish.

    `outcomes` has one for each executable wish. The first `planned` steps of the plan are the planner's, the others are
    the keyword plan's. `remarks` are sentences on the words that the planner cannot read.
    """

    def __init__(self, photo: torch.Tensor, plan: Plan, request: str, reading: Reading,
                 outcomes: Sequence[Outcome] = (), planned: int = 0, remarks: Sequence[str] = ()) -> None:
        super().__init__(photo, plan)
        self.request, self.reading, self.outcomes, self.planned = request, reading, tuple(outcomes), planned
        self.remarks = list(remarks) if planned else []

    @property
    def notes(self) -> list[str]:
        """A sentence for each part of the request that was not done or made no visible change."""
        return [*left_out(self.request, self.reading),
                *(_missed(outcome) for outcome in self.outcomes if outcome.idle or not outcome.granted)]

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
        steps = [(index, step.op, step.describe(), "planner" if index <= self.planned else "keyword plan")
                 for index, step in enumerate(self.plan, 1)]
        return "\n".join([
            tabulate(wishes, headers=("wish", "words", "measured change", "visible from", "granted", "by"),
                     disable_numparse=True), "",
            tabulate(steps or [("-", "nothing", "", "")], headers=("step", "operator", "parameters", "from")),
            *(f"planner: {sentence}" for sentence in self.remarks), *self.notes])


@functools.cache
def load_tagger() -> Tagger | None:
    """Return the tagger that ships, or None without MiniLM's package; then the rules read alone."""
    try:
        minilm_folder()
    except UserError:
        return None
    return Tagger.load()


def guesses(request: str) -> list[Guess]:
    """Return the tagger's guesses; it is loaded at the first request that the rules leave to it."""
    tagger = load_tagger()
    return tagger(request) if tagger else []


def understand(request: str) -> Reading:
    """Return the Reading of a request that asks for an edit that LDIE can do, or to change nothing.

    Raises Refusal for any other text; its sentence names the words and wishes that LDIE does not know or cannot do.
    """
    words = request.split()
    if len(words) > MOST_WORDS:
        raise Refusal([f"the request has {len(words)} words, and at most {MOST_WORDS} are read"])
    if not any(character.isalnum() for character in request):
        raise Refusal(["the request has no words"])
    reading = reader.read(request, guesses)
    asked = [wish for wish in reading.wishes if wish.sign != 0 and wish.attribute != "unchanged"]
    if not any(wish.executable for wish in asked) and (asked or not reading.wishes or reading.contradictions):
        raise Refusal(left_out(request, reading) or ["no change of a photo was found in the request"], reading)
    return reading


def left_out(request: str, reading: Reading) -> list[str]:
    """Return a reason for each part of a request that cannot be done or was not understood."""
    reasons = []
    for wish in reading.wishes:
        what = _quote(wish.where) if isinstance(wish.where, str) else _quoted(request, wish)
        if wish.attribute in CANNOT:
            reasons.append(f"{wish.attribute}{f' ({what})' if what else ''} cannot be done yet")
        elif wish.where is not None and wish.sign != 0:
            reasons.append("LDIE edits whole photos only so far" + (f", not a part ({what})" if what else ""))
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


def _missed(outcome):
    """Return the sentence for an executable wish without a visible change."""
    name = outcome.wish.attribute
    if name == "straighten":
        return ("straighten: the photo's edges do not show how much it is tilted; name an angle, such as "
                '"rotate it by 2 degrees clockwise"')
    return f"{name}: {'the photo needs no repair' if outcome.idle else 'no visible change on this photo'}"


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
    return "" if outcome is None else "keyword plan" if outcome.served else "planner"


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
        with threads_for(small.numel()):
            served = dict(serve(wishes, image))
        if len(wishes) == 1 and wishes[0].attribute in GEOMETRY and not served[wishes[0]]:
            raise Refusal([_missed(Outcome(wishes[0], False))], reading)
        lacking = [wish for wish in wishes if not self._trusts(wish)]
        planned = ()
        if len(lacking) < len(wishes):
            planned = _without(self.planner.plans(image, [request])[0].plan, _barred(reading, wishes))
        with threads_for(small.numel()):
            plan, outcomes, count = _checked(small, wishes, lacking, planned, served)
        return Answer(image, plan, request, reading, outcomes, count, remarks(self.planner.vocab, request))

    def _trusts(self, wish):
        """Return whether the planner is asked for a wish: it has an operator for it, and the degree is no number."""
        return wish.degree in LEVELS and bool(operators_of(wish.attribute) & set(self.planner.operators))


def operators_of(attribute: str) -> set[str]:
    """Return the names of the operators that move an attribute; for a repair, those that it may use."""
    names = CURES[attribute] if attribute in REPAIRS else (attribute,)
    return {op for name in names if name in MEASURES for op in (*MEASURES[name].operators, *MEASURES[name].others)}


def _barred(reading, wishes):
    """Return the operators whose steps are left out, because the planner may have missed a restriction of the request.

    They move attributes to be kept or to be changed in a part of the photo only. Operators that a wish needs are kept.
    """
    barred = {op for wish in reading.wishes if not wish.executable for op in operators_of(wish.attribute)}
    return barred.difference(*(operators_of(wish.attribute) for wish in wishes))


def _without(steps: Iterable[Step], operators) -> tuple[Step, ...]:
    return tuple(step for step in steps if step.op not in operators)


def _checked(small, wishes, lacking, planned, served):
    """Return (plan, outcomes, number of the planner's steps) that grant the wishes on a preview, as far as possible.

    The keyword plan serves `lacking`, the wishes for which the planner is not asked, and each wish that the planner
    fails; the planner's steps for these attributes are left out. If this mixture does not grant all wishes, the keyword
    plan alone is tried.
    """
    while True:
        alone = len(lacking) == len(wishes)
        kept = () if alone else _without(planned, set().union(*(operators_of(wish.attribute) for wish in lacking)))
        found = _tried(small, wishes, lacking, kept, served)
        failed = [outcome.wish for outcome in found[1] if not outcome.granted and not outcome.served]
        if not failed:
            break
        lacking = [*lacking, *failed]
    if not alone and not all(outcome.granted for outcome in found[1]):
        other = _tried(small, wishes, wishes, (), served)
        if sum(outcome.granted for outcome in other[1]) > sum(outcome.granted for outcome in found[1]):
            return other
    return found


def _tried(small, wishes, lacking, kept, served):
    """Try a plan on a preview: the planner's steps `kept`, then the keyword plan's steps for the wishes `lacking`.

    Returns (plan, outcomes of all wishes, number of the planner's steps).
    """
    def plan(besides=None):
        return Plan((*kept, *joined(step for wish, steps in served.items() if wish in lacking and wish != besides
                                    for step in steps)))

    def picture(edit):   # turning moves no attribute, but cuts corners off
        return execute(Plan(tuple(step for step in edit if not TABLE[step.op].resizes)), small)[None]
    whole = plan()
    after = picture(whole)
    return whole, [_outcome(wish, picture(plan(wish)) if wish in lacking else small[None], after, bool(whole.steps),
                            wish in lacking, served[wish]) for wish in wishes], len(kept)


def _outcome(wish, before, after, edited, is_served, steps):
    """Return the Outcome of a wish between two pictures (1, 3, H, W)."""
    if wish.attribute in GEOMETRY:
        return Outcome(wish, bool(steps), None, True)
    if wish.attribute in REPAIRS:
        lacked, left = lack(wish.attribute, before), lack(wish.attribute, after)
        mended = edited and left <= lacked / 2
        return Outcome(wish, is_served or mended, lacked - left, is_served, is_served and not steps)
    measure = MEASURES[wish.attribute]
    first, last = measure.of(before).item(), measure.of(after).item()
    return Outcome(wish, granted(wish, measure, first, last), last - first, is_served)
