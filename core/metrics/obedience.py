"""Obedience: test sentences, the attributes that each asks to change, and one rule per suite that judges an edit.

The rules use no learned judge. A rule measures how far an edit moved the five attributes of `core.metrics.attributes`,
in just visible steps (JUST_VISIBLE), how much the picture changed, and how far two results are apart. A rule
judges side effects of an edit only where the sentence mentions them, because brightness also changes contrast and
chroma.

Simple cheats fail. The sentences ask for both directions of each attribute equally often, so a method that ignores the
words is right in at most half of `direction` and `negation`, in a third of `two_wishes`, and never in `opposites` and
`degree`. A method that does nothing is right in `no_op` only. A method that does everything at full strength fails
`degree` and `no_op`. Neither more exposure nor more contrast counts as sharper. In `paraphrase` and `typo`, two results
that are near each other count only if they also show the requested change.
"""
import re
from dataclasses import dataclass, field

import numpy as np
import torch

from core.files import UserError, read_toml
from core.metrics.attributes import ATTRIBUTES, MEASURES, look
from core.metrics.bootstrap import mean_interval

# The smallest moves that count; core/metrics/attributes.py says why.
JUST_VISIBLE = {short: next(measure.visible for measure in MEASURES.values() if measure.of is of)
                for short, of in ATTRIBUTES.items()}
CLEARLY, BOTH_CLEARLY = 2.0, 3.0   # just visible steps that training pairs must show: of one wish, of several
KEPT = 2.0      # just visible steps by which a kept attribute may move more than without the proviso
NEAR = 0.5      # two results are near each other if their L1 is at most this share of the clean sentence's change
NO_OP = 0.01    # a mean absolute change below this counts as none: 2.5 of 255


@dataclass(frozen=True)
class Item:
    """A test case: a sentence, the attributes that it asks to move {name: +1 or -1}, and the sentence to compare with.

    `partner` is the sentence to compare with: the opposite sentence, the stronger one, the clean one, or the sentence
    without its proviso. `keeps` names the attributes that the sentence asks to keep.
    """

    suite: str
    sentence: str
    asks: dict = field(default_factory=dict)
    partner: str | None = None
    keeps: tuple = ()

    @property
    def direction(self):
        """The requested moves, one word each, such as "bright+ sat-"."""
        return " ".join(name + ("+" if sign > 0 else "-") for name, sign in self.asks.items())

    @property
    def sentences(self):
        """The one or two sentences that must be carried out to judge the item."""
        return (self.sentence,) if self.partner is None else (self.sentence, self.partner)


@dataclass(frozen=True)
class Outcome:
    """The result of one sentence on one photo: moves in just visible steps, and the mean absolute change."""

    moves: dict
    change: float


def obeys(outcome, asks):
    """Whether every attribute that is asked for moved visibly, in the asked direction."""
    return all(sign * outcome.moves[name] >= 1 for name, sign in asks.items())


def fulfils(before):
    """Return a callable (after (N, 3, H, W), intent) -> (N,) bool for edits of a picture (1, 3, H, W).

    The callable tells which of N edits move each attribute of the intent {name: sign} clearly in its direction. So
    training pairs can be made whose pictures show the change that their words ask for.
    """
    seen = look(before)

    def shown(after, intent):
        steps, found = CLEARLY if len(intent) < 2 else BOTH_CLEARLY, look(after, intent)
        moves = [sign * (found[name] - seen[name]) >= steps * JUST_VISIBLE[name] for name, sign in intent.items()]
        return torch.stack(moves).all(0) if moves else torch.ones(len(after), dtype=torch.bool)
    return shown


def right_direction(item, outcome, partner, apart):
    """Every requested attribute moves visibly: one (direction), or both of two (two_wishes)."""
    return obeys(outcome, item.asks)


def right_opposites(item, outcome, partner, apart):
    """The sentence moves its attributes visibly one way, and its opposite moves them visibly the other way."""
    return obeys(outcome, item.asks) and obeys(partner, {name: -sign for name, sign in item.asks.items()})


def right_degree(item, outcome, partner, apart):
    """Both sentences move the attributes in the requested direction; the stronger one (the partner) visibly further."""
    return all(sign * outcome.moves[name] > 0 and sign * (partner.moves[name] - outcome.moves[name]) >= 1
               for name, sign in item.asks.items())


def right_negation(item, outcome, partner, apart):
    """The requested attributes move visibly, and kept ones move at most KEPT further than without the proviso."""
    return obeys(outcome, item.asks) and all(
        abs(outcome.moves[name]) <= abs(partner.moves[name]) + KEPT for name in item.keeps)


def right_wording(item, outcome, partner, apart):
    """The requested attributes move visibly, and the result is near the result of the clean sentence (the partner)."""
    return obeys(outcome, item.asks) and apart <= NEAR * partner.change


def right_no_op(item, outcome, partner, apart):
    """The picture stays as it is."""
    return outcome.change < NO_OP


RULES = {"direction": right_direction, "direction_real": right_direction, "opposites": right_opposites,
         "degree": right_degree, "negation": right_negation, "two_wishes": right_direction,
         "paraphrase": right_wording, "typo": right_wording, "no_op": right_no_op}
PAIRS = ("opposites", "degree", "paraphrase", "typo")


def judge_photo(items, image, edit, batch=32):
    """Judge all items on one photo.

    Args:
        items: Item values.
        image: (3, H, W) in [0, 1].
        edit: a callable (list of requests) -> as many images (3, H, W), the method's results on this photo.
        batch: items per call of `edit`, whose results are in memory at once.

    Returns: two arrays, one value per item: whether it is right, and the mean change that its sentence made.
    """
    right, change = np.zeros(len(items), bool), np.zeros(len(items))
    before = look(image[None])
    for start in range(0, len(items), batch):
        part = items[start:start + batch]
        requests = list(dict.fromkeys(sentence for item in part for sentence in item.sentences))
        images = dict(zip(requests, edit(requests), strict=True))
        outcomes = {request: _outcome(image, before, edited) for request, edited in images.items()}
        for index, item in enumerate(part, start):
            outcome, partner = outcomes[item.sentence], outcomes.get(item.partner)
            apart = None if partner is None else (images[item.sentence] - images[item.partner]).abs().mean().item()
            right[index], change[index] = RULES[item.suite](item, outcome, partner, apart), outcome.change
    return right, change


def _outcome(image, before, edited):
    after = look(edited[None])
    moves = {name: ((after[name] - before[name]) / step).item() for name, step in JUST_VISIBLE.items()}
    return Outcome(moves, (edited - image).abs().mean().item())


def summarise(items, right):
    """Count the right results by suite, and within a suite by the requested direction.

    Args: `right` bool (photos, items). Returns: dicts {suite, asked_for (None: all of the suite), right, asked, share,
    interval}; the interval of the share is a 95% bootstrap over photos, [low, high], None for a single photo.
    """
    rows = []
    for suite in (suite for suite in RULES if any(item.suite == suite for item in items)):
        members = [index for index, item in enumerate(items) if item.suite == suite]
        rows.append(_row(suite, None, right[:, members]))
        directions = {items[index].direction for index in members}
        for direction in sorted(directions, key=[items[index].direction for index in members].index):
            if len(directions) > 1:
                chosen = [index for index in members if items[index].direction == direction]
                rows.append(_row(suite, direction, right[:, chosen]))
    return rows


def _row(suite, direction, right):
    photos = np.arange(len(right)).repeat(right.shape[1])
    return {"suite": suite, "asked_for": direction, "right": int(right.sum()), "asked": right.size,
            "share": float(right.mean()), "interval": mean_interval(right.ravel(), photos)}


def read_items(path):
    """Read the sentences of a TOML file, {suite: {requested moves: [entry, ...]}}; see data/obedience/README.md.

    Raises UserError that names the file, the suite and the malformed entry.
    """
    suites, items = read_toml(path), []
    for suite, cells in suites.items():
        if suite not in RULES or not isinstance(cells, dict):
            raise UserError(f"{path}: [{suite}] is not a suite; known are: {', '.join(RULES)}")
        for key, entries in cells.items():
            where = f"{path}, [{suite}] {key!r}"
            asks = read_asks(key, where)
            if not isinstance(entries, list):
                raise UserError(f"{where}: must be a list of sentences")
            items += [_item(suite, asks, entry, f"{where}, entry {number}") for number, entry in enumerate(entries, 1)]
    if not items:
        raise UserError(f"{path}: holds no sentences")
    return items


def read_asks(key, where):
    """Return {"bright": 1, "sat": -1} for the text "bright+ sat-", and {} for "nothing".

    Raises UserError, which begins with `where`, for anything else.
    """
    if key == "nothing":
        return {}
    words = [re.fullmatch(f"({'|'.join(ATTRIBUTES)})([+-])", word) for word in key.split()]
    if not words or not all(words):
        raise UserError(f"{where}: must be 'nothing' or attributes with a sign, such as 'bright+ sat-'; known are: "
                        f"{', '.join(ATTRIBUTES)}")
    return {word[1]: 1 if word[2] == "+" else -1 for word in words}


def _item(suite, asks, entry, where):
    """Return the Item of an entry: a sentence, a pair, or a sentence with the attributes that it keeps."""
    if suite in PAIRS:
        if not (isinstance(entry, list) and len(entry) == 2 and all(map(_is_text, entry))):
            raise UserError(f"{where}: must be a pair of sentences")
        return Item(suite, entry[0], asks, entry[1])
    if suite == "negation" and isinstance(entry, dict):
        keeps = entry.get("keeps", [])
        if not (_is_text(entry.get("sentence")) and _is_text(entry.get("without")) and isinstance(keeps, list)
                and keeps and all(name in ATTRIBUTES for name in keeps)):
            raise UserError(f"{where}: needs sentence, keeps (some of: {', '.join(ATTRIBUTES)}) and without")
        return Item(suite, entry["sentence"], asks, entry["without"], tuple(keeps))
    if not _is_text(entry):
        raise UserError(f"{where}: must be a sentence")
    return Item(suite, entry, asks)


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())
