"""The page of grounding: the photo, its segments coloured by their scores with the truth outlined, the words read."""
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from dominate import tags

from core.pages.document import write_document
from core.pages.pictures import LARGE, Pictures

COLD, HOT = (40, 90, 200), (240, 150, 20)   # colours of the lowest and the highest score
STRENGTH = 0.65                             # of the colour over the photo
OUTLINE = (255, 255, 255)


def write_grounding(folder: str | Path, title: str, results: Iterable[dict]) -> Path:
    """Write `folder`/index.html, on which the results with the least overlap come first, and return its path.

    Args:
        results: dicts with
            name, words: str
            photo: uint8 (H, W, 3)
            segments: bool (n, H, W); scores (n,); chosen bool (n,); truth bool (H, W)
            iou: float
            read: {module: (weight, [(word, attention)])}; may be empty
    """
    folder = Path(folder)
    pictures = Pictures(folder)
    cards = [(result["iou"], number, _card(pictures, number, **result)) for number, result in enumerate(results)]
    cards.sort(key=lambda card: card[:2])
    write_document(folder / "index.html", title, tags.p(
        f"{len(cards)} results, the least overlap first. Segments are coloured by their score, from blue to orange; "
        "those that are chosen have a thick border, and the truth is outlined in white.", cls="note"),
        *(card for *_, card in cards))
    pictures.discard_others()
    return folder / "index.html"


def _card(pictures, number, *, name, words, photo, segments, scores, chosen, truth, iou, read):
    shown = coloured(photo, segments, scores, chosen, truth)
    pair = [tags.figure(pictures.add(f"{number:05d}_{kind}", pixels, f"{kind} of {name}: {words}"),
                        tags.figcaption(kind)) for kind, pixels in (("photo", photo), ("scores", shown))]
    said = [tags.tr(tags.th(f"{module} {weight:.2f}", scope="row"),
                    tags.td(*(tags.span(f"{word} ", style=f"opacity:{0.3 + 0.7 * share:.2f}", title=f"{share:.2f}")
                              for word, share in attended)))
            for module, (weight, attended) in read.items()]
    return tags.article(tags.header(tags.p(f"{name} · IoU {iou:.2f}", cls="name"), tags.h2(words)),
                        tags.div(*pair, cls="pair"), *([tags.table(*said)] if said else []))


def coloured(photo: np.ndarray, segments: np.ndarray, scores: np.ndarray, chosen: np.ndarray, truth: np.ndarray
             ) -> np.ndarray:
    """Return the photo (H, W, 3), uint8, with its segments coloured by their scores and the truth outlined in white."""
    shown = photo.astype(np.float32)
    spread = np.ptp(scores) or 1.0
    for mask, score, _ in zip(segments, (scores - scores.min()) / spread, chosen, strict=True):
        colour = (1 - score) * np.array(COLD) + score * np.array(HOT)
        shown[mask] = (1 - STRENGTH) * shown[mask] + STRENGTH * colour
    shown = np.ascontiguousarray(np.clip(shown, 0, 255).astype(np.uint8))
    width = max(round(max(photo.shape) / LARGE * 2), 1)
    for mask, take in zip(segments, chosen, strict=True):
        if take:
            _outline(shown, mask, HOT, 2 * width)
    _outline(shown, truth, OUTLINE, width)
    return shown


def _outline(picture, mask, colour, width):
    contours, _ = cv2.findContours(np.uint8(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, width)
