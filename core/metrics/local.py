"""Local obedience: requests for a part of a photo, judged inside and outside the true region."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.files import UserError, read_toml
from core.metrics.attributes import MEASURES
from core.regions.segments import Segment, filled

WHICH = ("one", "all", "stuff", "but")
LEAST_THING, LEAST_STUFF, MOST = 0.01, 0.05, 0.95   # shares of the picture that a region may cover
LEAK = 0.004   # the mean absolute change outside all regions up to which an edit counts as local


@dataclass(frozen=True)
class Asked:
    """One region of a request: the class of its segments, which of them, and the moves that are asked for."""

    name: str
    asks: dict[str, int]
    which: str = "one"

    def truth(self, segments: Sequence[Segment], crowds: Sequence[Segment] = ()) -> np.ndarray | None:
        """Return the true mask (H, W) among the segments of a photo, or None if the request does not fit the photo.

        `crowds` are segments of things that the annotators did not separate. They are a part of "all the people", and
        beside one, no person is the only one.
        """
        own, crowd = ([segment.mask for segment in some if segment.name == self.name] for some in (segments, crowds))
        if len(own) < (2 if self.which == "all" else 1) or (self.which in ("one", "but") and len(own + crowd) > 1):
            return None
        mask = np.maximum.reduce(own + crowd)
        share = mask.mean()
        if not (LEAST_STUFF if self.which == "stuff" else LEAST_THING) <= share <= MOST:
            return None
        return 1 - mask if self.which == "but" else mask


@dataclass(frozen=True)
class Request:
    """A request with its regions."""

    say: str
    regions: tuple[Asked, ...]

    def truths(self, segments: Sequence[Segment], crowds: Sequence[Segment] = ()) -> list[np.ndarray] | None:
        """Return the true mask of each region, or None if the request does not fit the photo."""
        found = [asked.truth(segments, crowds) for asked in self.regions]
        return None if any(mask is None for mask in found) else found


def read_requests(path: Path | str) -> list[Request]:
    """Return the requests of a TOML file. Raises UserError naming the file, the request and the field."""
    requests = []
    for number, entry in enumerate(read_toml(path).get("request", []), 1):
        try:
            regions = tuple(Asked(**region) for region in entry["regions"])
            wrong = [name for region in regions for name in region.asks if name not in MEASURES]
            wrong += [region.which for region in regions if region.which not in WHICH]
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}, request {number}: needs say, and regions with name, asks and which ({error})"
                            ) from None
        if wrong or not regions or not isinstance(entry.get("say"), str):
            raise UserError(f"{path}, request {number}: {wrong[0] if wrong else 'say or regions'} is missing or wrong")
        requests.append(Request(entry["say"], regions))
    if not requests:
        raise UserError(f"{path}: has no requests")
    return requests


def judge(request: Request, truths: Sequence[np.ndarray], before: torch.Tensor, after: torch.Tensor) -> dict:
    """Return {"right", "inside", "leak"} of an edit (3, H, W) of a photo.

    `inside`: each asked attribute moves visibly in its direction inside its true mask. `leak`: the mean absolute change
    of the pixels outside all regions; 0 if there are none. `right`: `inside`, and at most LEAK leaks.
    """
    inside = all(_moved(before, after, mask, name) * sign >= MEASURES[name].visible
                 for asked, mask in zip(request.regions, truths, strict=True) for name, sign in asked.asks.items())
    outside = torch.from_numpy(np.maximum.reduce(list(truths)) <= 0.5)
    leak = (after - before).abs()[:, outside].mean().item() if outside.any() else 0.0
    return {"right": inside and leak <= LEAK, "inside": inside, "leak": leak}


def _moved(before, after, mask, name):
    """Return how far an attribute moved inside a mask."""
    first, last = (MEASURES[name].of(filled(picture, torch.from_numpy(mask))[None]).item()
                   for picture in (before, after))
    return last - first
