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
import math
import re
from dataclasses import dataclass, field

import numpy as np
import torch

from core.colour import to_linear
from core.files import UserError, read_toml
from core.metrics.attributes import AMOUNTS, ATTRIBUTES, CASTS, MEASURES, look
from core.metrics.bootstrap import mean_interval

# The smallest moves that count; core/metrics/attributes.py says why.
JUST_VISIBLE = {short: next(measure.visible for measure in MEASURES.values() if measure.of is of)
                for short, of in ATTRIBUTES.items()} | dict.fromkeys(CASTS, 1.0)
CLEARLY, BOTH_CLEARLY = 2.0, 3.0   # just visible steps that training pairs must show: of one wish, of several
KEPT = 2.0      # just visible steps by which a kept attribute may move more than without the proviso
NEAR = 0.5      # two results are near each other if their L1 is at most this share of the clean sentence's change
AMOUNT = 0.25   # relative error that a change by a number may have
CLIPS = 0.01    # a plain scaling by the number clips this share of the pixels: the photo cannot show the amount
SCALED = {"bright": "light", "contrast": "contrast", "sat": "saturation"}   # attributes with amounts: names in AMOUNTS
NO_OP = 0.01    # a mean absolute change below this counts as none: 2.5 of 255


@dataclass(frozen=True)
class Item:
    """A test case: a sentence, the attributes that it asks to move {name: +1 or -1}, and the sentence to compare with.

    `partner` is the sentence to compare with: the opposite sentence, the stronger one, the clean one, or the sentence
    without its proviso. `keeps` names the attributes that the sentence asks to keep. `percent` or `stops` is the amount
    by which the attribute should change: in per cent, or in stops of light.
    """

    suite: str
    sentence: str
    asks: dict = field(default_factory=dict)
    partner: str | None = None
    keeps: tuple = ()
    percent: float | None = None
    stops: float | None = None

    @property
    def ratio(self):
        """The ratio by which the amount should change the attribute; None without an amount."""
        sign = next(iter(self.asks.values()), 1)
        if self.stops is not None:
            return 2.0 ** (sign * self.stops)
        return None if self.percent is None else 1 + sign * self.percent / 100

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
    """The result of one sentence on one photo.

    `moves` are in just visible steps, `change` is the mean absolute change, `ratios` are those of the amounts of
    SCALED, after to before.
    """

    moves: dict
    change: float
    ratios: dict = field(default_factory=dict)

    def spilled(self, asks):
        """Return by how many just visible steps, on average, attributes moved that nobody asked to move."""
        return float(np.mean([abs(self.moves[name]) for name in ATTRIBUTES if name not in asks]))


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


def right_amount(item, outcome, partner, apart):
    """The amount of the attribute changes by the asked number, with a relative error of at most AMOUNT."""
    name, = item.asks
    unit = math.log2 if item.stops is not None else lambda ratio: ratio - 1
    return abs(unit(max(outcome.ratios[name], 1e-3)) / unit(item.ratio) - 1) <= AMOUNT


def right_no_op(item, outcome, partner, apart):
    """The picture stays as it is."""
    return outcome.change < NO_OP


RULES = {"direction": right_direction, "direction_real": right_direction, "labelled": right_direction,
         "opposites": right_opposites, "degree": right_degree, "negation": right_negation,
         "two_wishes": right_direction, "many_wishes": right_direction, "casts": right_direction,
         "amounts": right_amount, "paraphrase": right_wording, "typo": right_wording, "no_op": right_no_op}
SPILL = ("direction", "direction_real", "two_wishes", "many_wishes")   # suites in which preservation is measured
PAIRS = ("opposites", "degree", "paraphrase", "typo")


def judge_photo(items, image, edit, batch=32):
    """Judge all items on one photo.

    Args:
        items: Item values.
        image: (3, H, W) in [0, 1].
        edit: a callable (list of requests) -> as many images (3, H, W), the method's results on this photo.
        batch: items per call of `edit`, whose results are in memory at once.

    Returns: arrays with one value per item: `right`, 1 or 0, or NaN if the photo cannot show the change; `change`, the
    mean change that its sentence made; `spilled`, see Outcome.
    """
    right, change, spilled = np.zeros((3, len(items)))
    before = _measure(image)
    for start in range(0, len(items), batch):
        part = items[start:start + batch]
        requests = list(dict.fromkeys(sentence for item in part for sentence in item.sentences))
        images = dict(zip(requests, edit(requests), strict=True))
        outcomes = {request: _outcome(image, before, edited) for request, edited in images.items()}
        for index, item in enumerate(part, start):
            outcome, partner = outcomes[item.sentence], outcomes.get(item.partner)
            apart = None if partner is None else (images[item.sentence] - images[item.partner]).abs().mean().item()
            right[index] = np.nan if cannot_show(item, image) else RULES[item.suite](item, outcome, partner, apart)
            change[index], spilled[index] = outcome.change, outcome.spilled(item.asks)
    return right, change, spilled


def cannot_show(item, image):
    """Return whether a plain scaling of a photo (3, H, W) by the item's amount newly clips more than CLIPS of it."""
    if item.ratio is None:
        return False
    name, = item.asks
    linear = to_linear(image)
    grey = (linear * linear.new_tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0, keepdim=True)
    centre = {"bright": 0, "contrast": image.mean(), "sat": grey}[name]
    pixels = image if name == "contrast" else linear
    scaled = centre + item.ratio * (pixels - centre)
    beyond = ((scaled > 1) & (pixels < 1)) | ((scaled < 0) & (pixels > 0))
    return beyond.any(0).float().mean().item() > CLIPS


def _outcome(image, before, edited):
    after = _measure(edited)
    moves = {name: (after[name] - before[name]) / step for name, step in JUST_VISIBLE.items()}
    ratios = {name: after[long] / max(before[long], 1e-6) for name, long in SCALED.items()}
    return Outcome(moves, (edited - image).abs().mean().item(), ratios)


def _measure(image):
    """Return the attributes of JUST_VISIBLE and the amounts of AMOUNTS of a picture (3, H, W), as numbers by name."""
    found = look(image[None], JUST_VISIBLE) | {name: of(image[None]) for name, of in AMOUNTS.items()}
    return {name: value.item() for name, value in found.items()}


def summarise(items, right):
    """Count the right results by suite, and within a suite by the requested direction.

    Args: `right` (photos, items): 1, 0, or NaN, which does not count.

    Returns: dicts {suite, asked_for (None: all of the suite), right, asked, share, interval}; the interval of the share
    is a 95% bootstrap over photos, [low, high], None for a single photo.
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
    photos = np.arange(len(right)).repeat(right.shape[1]).reshape(right.shape)
    known = ~np.isnan(right)
    return {"suite": suite, "asked_for": direction, "right": int(right[known].sum()), "asked": int(known.sum()),
            "share": float(right[known].mean()) if known.any() else None,
            "interval": mean_interval(right[known], photos[known]) if known.any() else None}


def preservation(items, spilled):
    """Return {"mean", "interval", "photos"} of the change of attributes that nobody asked to change.

    The unit is just visible steps of the five ATTRIBUTES, on average over the items of SPILL. Args: `spilled` (photos,
    items). `photos` are the means by photo, for paired comparisons.
    """
    chosen = spilled[:, [index for index, item in enumerate(items) if item.suite in SPILL]]
    if not chosen.size:
        return None
    photos = chosen.mean(1)
    return {"mean": float(photos.mean()), "interval": mean_interval(photos, np.arange(len(photos))),
            "photos": photos.round(5).tolist()}


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
    words = [re.fullmatch(f"({'|'.join(JUST_VISIBLE)})([+-])", word) for word in key.split()]
    if not words or not all(words):
        raise UserError(f"{where}: must be 'nothing' or attributes with a sign, such as 'bright+ sat-'; known are: "
                        f"{', '.join(JUST_VISIBLE)}")
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
    if suite == "amounts":
        units = [unit for unit in ("percent", "stops") if isinstance(entry, dict) and unit in entry]
        if len(asks) != 1 or not asks.keys() <= SCALED.keys() or len(units) != 1 or not _is_text(
                entry.get("sentence")) or not isinstance(entry[units[0]], int | float) or not entry[units[0]] > 0:
            raise UserError(f"{where}: needs one of {', '.join(SCALED)} with a sign, and {{sentence, percent}} or "
                            f"{{sentence, stops}} with a number above 0")
        return Item(suite, entry["sentence"], asks, **{units[0]: entry[units[0]]})
    if not _is_text(entry):
        raise UserError(f"{where}: must be a sentence")
    return Item(suite, entry, asks)


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())
