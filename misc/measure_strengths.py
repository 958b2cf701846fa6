"""Measure how strong "slight", "plain" and "strong" changes are, for each operator of the develop panel.

For the attributes that retouchers changed on request (brightness, contrast, saturation, temperature, sharpness) a
strength is the median over the requests of a data set that ask for it in that degree. The operators of these
attributes follow each retouch, one after the other: each gets the parameter at which the picture has the attribute of
the retouch. So the strength of saturation, for example, leaves out the effect of brightness on the colours.

The median of at least 20 plain requests is the plain strength. Retouchers hardly tell degrees apart, so slight and
strong are derived from it and from just visible steps, see `chosen`. All other operators get 2, 5 and 9 just visible
steps: the parameter that changes the photos in installed packages by a mean CIEDE2000 of 2, 5 and 9. An operator that
does not reach 9 gets 2/9, 5/9 and all of its bound.

  python misc/measure_strengths.py --dataset RetouchReq --data_root photos/RetouchReq --phase train --publish strengths

--publish also writes core/operators/strengths.toml.
"""
from collections import defaultdict
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from scipy.optimize import brentq
from tabulate import tabulate
from tqdm import tqdm

from core.colour import ciede2000, srgb_to_lab
from core.datasets import fit_short_edge, load_image, to_tensor
from core.engine.cli import run
from core.engine.data import read_phase
from core.engine.options import Parser
from core.engine.publish import publish
from core.files import write_text
from core.metrics.attributes import ATTRIBUTES
from core.operators import TABLE, apply
from core.operators.light import middle
from core.requests.reader import read_wishes
from core.requests.wish import LEVELS
from core.synthesis.photos import bundled

DATA = Path("core/operators/strengths.toml")   # relative to the current folder, like docs/results/
MEASURED = {   # attribute of a wish: (operator, name in ATTRIBUTES)
    "light": ("exposure_soft", "bright"), "contrast": ("contrast_pivot", "contrast"), "saturation": ("chroma", "sat"),
    "temperature": ("white_balance", "warm"), "sharpness": ("sharpen_scaled", "sharp")}   # in the order of the fit
TOGETHER = {"white_balance": [0], "denoise": [0, 1]}   # parameters of these operators that a strength sets
STEPS = dict(zip(LEVELS, (2, 5, 9), strict=True))      # just visible steps
FEWEST = 20                                            # plain requests from which their median is used
TOLERANCE = 0.002                                      # of parameters, in shares of their range
SHORT_EDGE = 128                                       # pixels, of the photos for just visible steps


def main():
    options = arguments().parse_args()
    with torch.inference_mode():
        steps = [row for name in operators() for row in measure_steps(name)]
        retouches = measure_retouches(*read_phase(options, options.phase))
    table = chosen(steps, retouches)
    print(*(tabulate(rows, headers="keys", floatfmt=".3f") for rows in (retouches, steps)), sep="\n\n")
    publish(options, "strengths", {"retouches": retouches, "steps": steps, "strengths": table})
    if options.publish:
        write_text(DATA, as_toml(table))


def operators():
    """Return the names of the panel's operators with one main parameter that keep the size."""
    return [name for name, row in TABLE.items()
            if row.version == 2 and row.plannable and (row.effect.sum() == 1 or name in TOGETHER)]


def directions(name):
    """Yield ("more" or "less", bound) for each side of neutral on which the operator has an effect."""
    row = TABLE[name]
    for direction, bound in (("more", row.high[0].item()), ("less", row.low[0].item())):
        if bound != row.neutral[0]:
            yield direction, bound


def edited(name, image, value):
    """Return `image` (1, 3, H, W) edited by an operator with the main parameter `value`, the others as usual."""
    params = TABLE[name].neutral.clone()
    params[TOGETHER.get(name, [0])] = value
    if name == "contrast_pivot":
        params[1] = middle(image)[0].clamp(0.1, 0.9)
    return apply(TABLE[name], image, params.to(image)[None])


def solve(change, goal, low, high):
    """Return the value in [low, high] at which the increasing function `change` reaches `goal`, by Brent's method."""
    below, above = change(low) - goal, change(high) - goal
    if below >= 0 or above <= 0:
        return low if below >= 0 else high
    return brentq(lambda value: change(value) - goal, low, high, xtol=TOLERANCE * (high - low))


def measure_steps(name):
    """Return a row for each direction: one just visible step, the bound in steps, and the strengths."""
    photos = [to_tensor(fit_short_edge(photo.load(), SHORT_EDGE))[None] for photo in bundled()]
    labs = [srgb_to_lab(photo) for photo in photos]

    def steps(value):
        return np.mean([ciede2000(lab, srgb_to_lab(edited(name, photo, value))).mean().item()
                        for photo, lab in zip(photos, labs, strict=True)])

    def value_of(count, bound, most):
        return bound * solve(lambda share: steps(bound * share), count, 0, 1) if count < most else None
    rows = []
    for direction, bound in directions(name):
        most = steps(bound)
        values = {level: value_of(count, bound, most) if most > STEPS["strong"] else bound * count / STEPS["strong"]
                  for level, count in STEPS.items()}
        rows.append({"operator": name, "direction": direction, "one step": value_of(1, bound, most), "bound": bound,
                     "steps": most} | values)
    return rows


def measure_retouches(path, entries):
    """Return a row for each attribute, direction and degree: requests, quartiles of the fitted parameters."""
    found = defaultdict(list)
    for entry in tqdm(entries, desc="retouches", disable=None):
        wishes = {wish.attribute: wish for wish in read_wishes(entry["request"])}
        before, after = (load_image(path.parents[1] / "images" / entry[end]) for end in ("input", "output"))
        if before.shape != after.shape or not wishes.keys() & MEASURED.keys():
            continue
        values = follow(to_tensor(before)[None], to_tensor(after)[None])
        for wish in (wishes[name] for name in MEASURED if name in wishes):
            name, attribute = MEASURED[wish.attribute]
            if wish.degree in LEVELS and entry.get("intent", {}).get(attribute, wish.sign) == wish.sign:
                found[name, wish.sign, wish.degree].append(values[name])
    rows = []
    for name, _ in MEASURED.values():
        for direction, sign, bound in ((way, 1 if way == "more" else -1, bound) for way, bound in directions(name)):
            for level in LEVELS:
                if values := found.get((name, sign, level)):
                    low, median, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
                    beyond = float(np.mean(np.abs(np.array(values) - bound) < 0.01 * abs(bound)))
                    rows.append({"operator": name, "direction": direction, "degree": level, "requests": len(values),
                                 "lower quartile": low, "median": median, "upper quartile": high,
                                 "at the bound": beyond,
                                 "used": "yes" if len(values) >= FEWEST and level == "plain" else "no"})
    return rows


def follow(image, retouch):
    """Return {operator: parameter} with which the operators of MEASURED give `image` the attributes of a retouch."""
    values = {}
    for name, attribute in MEASURED.values():
        measure, (low, *_), (high, *_) = ATTRIBUTES[attribute], TABLE[name].low.tolist(), TABLE[name].high.tolist()
        values[name] = solve(lambda value, name=name, measure=measure, image=image:
                             measure(edited(name, image, value)).item(), measure(retouch).item(), low, high)
        image = edited(name, image, values[name])
    return values


def chosen(steps, retouches):
    """Return {operator: {direction: {degree: parameter}}}: from enough plain retouches, else just visible steps.

    Retouchers hardly tell degrees apart. So beside a plain strength from retouches, slight is 2/5 of it or two just
    visible steps, whichever is less, and strong is 9/5 of it or nine steps, whichever is more, within the bound.
    """
    plain = {(row["operator"], row["direction"]): row["median"] for row in retouches
             if row["used"] == "yes" and row["degree"] == "plain"}
    table = defaultdict(dict)
    for row in steps:
        values = {level: row[level] for level in LEVELS}
        if median := plain.get((row["operator"], row["direction"])):
            ratios = {level: median * count / STEPS["plain"] for level, count in STEPS.items()}
            values = {"slight": min(values["slight"], ratios["slight"], key=abs), "plain": median,
                      "strong": max(values["strong"], min(ratios["strong"], row["bound"], key=abs), key=abs)}
        table[row["operator"]][row["direction"]] = {level: round(value, 4) for level, value in values.items()}
    return dict(table)


def as_toml(table):
    """Return the strengths as the text of strengths.toml."""
    lines = ["# Written by misc/measure_strengths.py: the main parameter of each operator, by direction and degree."]
    for name, ways in table.items():
        lines += ["", f"[{name}]"] + [f"{way} = {{ " + ", ".join(f"{key} = {value}" for key, value in levels.items())
                                      + " }" for way, levels in ways.items()]
    return "\n".join(lines) + "\n"


def arguments():
    parser = Parser(__doc__).add_data()
    parser.add_argument("--phase", default="train", help="phase whose requests and retouches are measured")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
