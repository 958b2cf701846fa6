"""Mending: change the parameters of a plan until its result on a small preview grants the wishes.

The result is compared with the photo by the measures of `core.metrics.attributes`, in just visible steps. Gauss-Newton
steps through the executor move the parameters towards these goals:

- A wished attribute moves in its direction: at least as far as its degree asks for, else as far as the plan moves it.
  Numbers ("by 30%", "by one stop") are met exactly.
- Attributes that the request asks to keep, and those that it does not mention, move little.
- At most 1% of the pixels get clipped, and skin keeps its hue unless a wish is about colours.

The operators and their order stay, so that a mended plan differs from the plan in its parameters only.
"""
import math
from collections.abc import Sequence

import torch

from core.colour import srgb_to_oklch
from core.filters import preview
from core.methods.repairs import CURES, operators_of, repair
from core.methods.wishes import last_of_each
from core.metrics.attributes import AMOUNTS, MEASURES, measured
from core.models.planner import PlannerConfig
from core.operators import TABLE, Plan, Step, apply, execute
from core.operators.colours import SKIN, SKIN_WIDTH
from core.requests.found import SHADES
from core.requests.wish import GEOMETRY, LEVELS, REPAIRS, Wish

SIDE, FINE_SIDE = 64, 192   # long edge of the preview in pixels, and of the preview on which details are measured
WATCHED = ("light", "contrast", "saturation", "temperature", "green-magenta")   # attributes that wishes should not move
FINE = ("sharpness", "clarity", "noise", "grain", "hdr")   # attributes that a preview of SIDE pixels does not show
LEAST_SKIN = 0.01     # mean weight of the skin tones of a photo whose skin is watched
LEAST = {"slight": 1.25, "plain": 2.0, "strong": 3.0}      # just visible steps below which a plan misses a degree
AIMS = {"slight": 2.0, "plain": 5.0, "strong": 9.0}        # just visible steps to which a missed wish is moved
# Just visible steps of the median retouch for a plain wish (RetouchReq train), and the shares of them between which
# the moves of each degree lie.
TYPICAL = {"light": 12.0, "contrast": 10.0, "saturation": 22.0, "temperature": 8.5}
BANDS = {"slight": (0.1, 1.0), "plain": (0.1, 2.3), "strong": (1.15, math.inf)}
# Mean chroma at which a plain wish for more saturation stops: the upper quartile of retouches for it (RetouchReq
# train). A photo that is near to it, or beyond, gets a few steps more.
COLOURFUL, A_FEW = 31.0, 8.0
ROUNDS, MOST_ROUNDS, POOR = 2, 6, 10.0   # trials of new parameters; the most of them, and the cost that needs them
ENOUGH = 0.005       # a step that moves each parameter less, in ranges, is the last one
DAMPED = 1.0         # damping, relative to the curvature, after a step that made things worse; it grows by DAMPED_MORE
DAMPED_MORE = 4.0
DIFFERENCE = 0.01    # step of a finite difference, as a share of the parameter's range
MOST_PARAMS = 5      # steps with more parameters stay as they are
GRANTED, MISSED = 1.5, 3.0 # weights of a just visible step: from the plan's move of a wished attribute, from LEAST,
YIELDS = 0.3               # from the plan's move, where the plan misses another wish,
KEPT = 1.0                 # of an attribute to be kept,
UNASKED = PlannerConfig.unasked   # and of one that nobody mentioned, unless the planner sets another price
EXACT = 4.0          # weight of an error of 3% in a number
FURTHEST = 1e3       # larger distances are cut
# Wishes for light and contrast move these, too; beside such a wish, the plan decides how far they move.
ZONES = ("highlights", "shadows", "midtones", "whites", "blacks", "fade", "clarity", "hdr", "haze")
ERROR, MOST_STOPS, TINY = 0.043, 4.0, 1e-6   # log2 of 1.03; the largest change by a number; the least amount
STAY, FREE = 45.0, 10.0   # weights of moving a parameter by its range; the second where the plan misses a wish
CLIPPED, CLIP_WEIGHT = 0.01, 200.0   # share of newly clipped pixels that is allowed; weight of a further share of 1
TURNED, TURN_WEIGHT = 0.2, 10.0      # radians by which skin may get further from the hue of skin; weight of a radian


@torch.no_grad()
def mend(plan: Plan, image: torch.Tensor, wishes: Sequence[Wish], unasked: float = UNASKED) -> Plan:
    """Return the plan with parameters that serve the wishes of a request better, for a photo (3, H, W) in [0, 1].

    Wishes of sign 0 ask to keep their attribute; of several wishes for one attribute, the last counts. `unasked` is the
    price of a just visible step of an attribute that nobody mentioned. Steps with masks, turns, and steps with many
    parameters keep their parameters.
    """
    steps = [step for step in plan if not TABLE[step.op].resizes]
    keeps = {wish.attribute for wish in wishes if wish.sign == 0 and wish.attribute in MEASURES}
    wishes = [wish for wish in last_of_each(wishes) if wish.attribute not in GEOMETRY]
    if not wishes:
        return plan
    fine, coarse = ([wish for wish in wishes if (wish.attribute in FINE) is side] for side in (True, False))
    details = set().union(*map(operators_of, FINE))
    asked = {name for wish in wishes for name in CURES.get(wish.attribute, (wish.attribute,))}
    others = {name: KEPT if name in keeps else unasked for name in (*keeps, *WATCHED) if name not in asked}
    tones = iter(_moved([step for step in steps if step.op not in details], preview(image, SIDE)[None], coarse, others))
    steps = [step if step.op in details else next(tones) for step in steps]
    if fine:
        steps = _moved(steps, preview(image, FINE_SIDE)[None], fine, {}, details)
    mended = iter(steps)
    return Plan(tuple(step if TABLE[step.op].resizes else next(mended) for step in plan))


def _moved(steps, image, wishes, others, only=TABLE):
    """Return the steps with parameters that bring the goals nearer; steps with operators not in `only` stay.

    Args: `image` (1, 3, h, w); for `wishes` and `others` see `Goals`.
    """
    places = [(index, place) for index, step in enumerate(steps) if step.op in only for place in _free(step)]
    if not places or not (wishes or others):
        return steps
    low, high = (torch.stack([getattr(TABLE[steps[index].op], name)[place] for index, place in places]).float()
                 for name in ("low", "high"))
    start = torch.tensor([steps[index].params[place] for index, place in places]).float()
    values, best, damping, goals = start, None, 0.0, None
    for trial in range(MOST_ROUNDS + 1):
        nudge = DIFFERENCE * torch.where(values + DIFFERENCE * (high - low) > high, -1, 1)
        images = _executed(_with(steps, places, values), image, places, nudge * (high - low))
        goals = goals or Goals(image, images[:1], wishes, others, {step.op for step in steps})   # from the plan itself
        found, one_sided = goals.distances(images)
        stay = goals.stay * (values - start) / (high - low)
        cost = found[0].square().sum() + stay.square().sum()
        if best is None or cost < best[0]:
            slopes = ((found[1:] - found[0]) / nudge[:, None] * ~(one_sided & (found[0] == 0))).T   # (K, P)
            gram = slopes.T @ slopes + goals.stay**2 * torch.eye(len(values), dtype=torch.float64)
            best, damping = (cost, values), damping / DAMPED_MORE
            pull = slopes.T @ found[0] + goals.stay * stay
        else:
            damping = max(damping * DAMPED_MORE, DAMPED)
        if trial >= (MOST_ROUNDS if best[0] > POOR else ROUNDS):
            break
        move = torch.linalg.solve(gram + damping * gram.diag().diag(), pull).float()
        if move.abs().max() < ENOUGH:
            break
        values = (best[1] - move * (high - low)).clamp(low, high)
    return _with(steps, places, best[1])


def _free(step):
    """Return the indices of the parameters of a step that may change."""
    row = TABLE[step.op]
    if step.mask is not None or row.n_params > MOST_PARAMS or row.structure in ("fixed", "curve"):
        return []
    return [place for place, param in enumerate(row.params) if param.effect and param.high > param.low]


def _with(steps, places, values):
    """Return the steps with new values of the parameters at `places`, pairs of a step and a parameter."""
    params = [list(step.params) for step in steps]
    for (index, place), value in zip(places, values.tolist(), strict=True):
        params[index][place] = value
    return [Step.make(step.op, new, step.mask) for step, new in zip(steps, params, strict=True)]


def _executed(steps, image, places, moves):
    """Return the results (1 + P, 3, h, w) of the steps on an image (1, 3, h, w): as they are, then with each move.

    `moves` (P,) are changes of the parameters at `places`, which are in the order of the steps. Results that do not
    differ yet are computed once.
    """
    images = image
    for index, step in enumerate(steps):
        here = [(place, move) for (at, place), move in zip(places, moves, strict=True) if at == index]
        params = torch.tensor([step.params]).repeat(len(images) + len(here), 1)
        for row, (place, move) in enumerate(here, len(images)):
            params[row, place] += move
        mask = None if step.mask is None else step.mask.tensor(*images.shape[-2:]).expand(len(params), -1, -1, -1)
        images = torch.cat((images, images[:1].expand(len(here), -1, -1, -1)))
        images = apply(TABLE[step.op], images, params, mask)
    return images


class Goals:
    """The goals of a request for one photo, as weighted distances that should be 0."""

    def __init__(self, before: torch.Tensor, planned: torch.Tensor, wishes: Sequence[Wish], others: dict[str, float],
                 operators: set[str]) -> None:
        """Set the goals from the photo `before` and the result `planned` of the plan, both (1, 3, h, w).

        `others` are the weights of the attributes that should not move. A wish that none of the plan's `operators`
        serves is no goal; its attribute stays as the plan leaves it. Nor is "enhance": a single operator, pushed until
        all faults are gone, would do harm.
        """
        self.before, self.wishes, self.others = before, list(wishes), others
        self.idle = {wish for wish in wishes if wish.attribute == "enhance"
                     or not operators_of(wish.attribute) & operators}
        asked = {name for wish in wishes for name in CURES.get(wish.attribute, (wish.attribute,))}
        self.names = [*(name for name in MEASURES if name in asked), *others]
        self.first, self.planned = ({name: value.item() for name, value in measured(image, self.names).items()}
                                    for image in (before, planned))
        self.amounts = {wish: AMOUNTS[wish.attribute](before).item() for wish in wishes if is_exact(wish)}
        self.repaired = {wish: measured(execute(Plan(tuple(repair(wish.attribute, before))), before), self.names)
                         for wish in wishes if wish.attribute in REPAIRS and wish not in self.idle}
        self.tones = bool(asked & {"light", "contrast"})
        self.skin = None if asked.intersection(SHADES) else _skin(before)   # all hues may change then
        self.hold, self.stay = (YIELDS, FREE) if self.missed(planned) else (GRANTED, STAY)

    def distances(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weighted distances (B, K) of results (B, 3, h, w) from the K goals, and which are one-sided (K,).

        A one-sided goal is a limit: its distance is 0 on the right side.
        """
        found = measured(images, self.names)
        terms = [term for wish in self.wishes for term in self._of(wish, images, found)]
        terms += [(weight * self._steps(name, found), False) for name, weight in self.others.items()]
        clipped = (_clipped(images) - _clipped(self.before)).clamp_min(0).mean((1, 2, 3))
        terms.append((CLIP_WEIGHT * (clipped - CLIPPED), True))
        if self.skin:
            terms.append((TURN_WEIGHT * (self._turned(images) - TURNED), True))
        one_sided = torch.tensor([limit for _, limit in terms])
        values = torch.stack([value for value, _ in terms], 1).clamp(-FURTHEST, FURTHEST).double()
        return torch.where(one_sided, values.clamp_min(0), values), one_sided

    def missed(self, images: torch.Tensor) -> bool:
        """Return whether the first result misses a wish that the plan serves; numbers and repairs do not count."""
        found = measured(images[:1], self.names)
        return any(wish.sign * self._steps(wish.attribute, found).item() < 1 for wish in self.wishes
                   if wish.attribute not in REPAIRS and wish not in self.amounts and wish not in self.idle)

    def _of(self, wish, images, found):
        """Return the distances (B,) from the goals of a wish, each with whether it is one-sided."""
        if wish.attribute in REPAIRS:   # the fault is estimated once: its measure may fail on pictures out of range
            goal = self.repaired.get(wish, self.planned)
            weight = GRANTED if wish in self.idle else MISSED
            return [(weight * (found[name] - goal[name]) / MEASURES[name].visible, False)
                    for name in CURES[wish.attribute]]
        if wish in self.amounts and wish not in self.idle:
            ratio = (AMOUNTS[wish.attribute](images) / max(self.amounts[wish], TINY)).clamp_min(TINY).log2()
            return [(EXACT * (ratio - _log_ratio(wish)) / ERROR, False)]
        moved, planned = (wish.sign * self._steps(wish.attribute, values) for values in (found, self.planned))
        if wish in self.idle or (wish.attribute in ZONES and self.tones):
            return [(self.hold * (moved - planned), False)]
        least, most = band(wish)
        if wish.attribute == "saturation" and wish.sign > 0 and wish.level != "strong":
            room = (COLOURFUL - self.first["saturation"]) / MEASURES["saturation"].visible
            most = min(most, max(room, A_FEW))
        if planned < least:
            return [(MISSED * (moved - max(least, AIMS[wish.level])), False)]
        return [(self.hold * (moved - min(planned, most)), False), (MISSED * (least - moved), True)]

    def _steps(self, name, values):
        """Return the move of an attribute from the photo to `values`, in just visible steps."""
        return (values[name] - self.first[name]) / MEASURES[name].visible

    def _turned(self, images):
        """Return by how many radians (B,) the photo's skin tones are further from the hue of skin, on average."""
        apart, weight = self.skin
        return ((_from_skin(srgb_to_oklch(images)[:, 2:]) - apart) * weight).sum((1, 2, 3))


def band(wish: Wish) -> tuple[float, float]:
    """Return the least and the most just visible steps by which a wish should move its attribute."""
    typical = TYPICAL.get(wish.attribute, math.inf)
    low, high = (share * typical for share in BANDS[wish.level])
    return max(LEAST[wish.level], low if math.isfinite(low) else 0.0), high


def is_exact(wish: Wish) -> bool:
    """Return whether the number of a wish tells how far its attribute should move."""
    return wish.degree not in LEVELS and wish.attribute in AMOUNTS and wish.unit in (
        ("%", "stops") if wish.attribute == "light" else ("%",))


def _log_ratio(wish):
    """Return log2 of the ratio by which a wish with a number should scale the amount of its attribute."""
    if wish.unit == "stops":
        return wish.sign * min(wish.degree, MOST_STOPS)
    return math.log2(min(max(1 + wish.sign * wish.degree / 100, 2.0**-MOST_STOPS), 2.0**MOST_STOPS))


def _clipped(images):
    """Return how far the pixels (B, 1, h, w) are clipped: 1 at 0 or 1 in two channels, 0 from 4 levels of 255 away.

    A single clipped channel is hardly seen: cooling clips the blue of every white sky.
    """
    middle = images.median(1, keepdim=True).values
    near = torch.maximum(middle - 1, -middle) * (255 / 4) + 1
    return near.clamp(0, 1)


def _skin(image):
    """Return the distance from the hue of skin, and the weight, both (1, 1, h, w), of the skin tones of an image.

    The image is (1, 3, h, w); the weights sum to 1. Returns None if it has few skin tones.
    """
    light, chroma, hue = srgb_to_oklch(image).split(1, 1)
    weight = torch.exp(-((hue - SKIN) / SKIN_WIDTH).square()) * ((chroma > 0.03) & (chroma < 0.16) & (light > 0.35))
    return (_from_skin(hue), weight / weight.sum()) if weight.mean() > LEAST_SKIN else None


def _from_skin(hue):
    """Return the distance of hues from the hue of skin, in radians."""
    return (torch.remainder(hue - SKIN + math.pi, 2 * math.pi) - math.pi).abs()
