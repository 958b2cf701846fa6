"""Image generators as methods: they map a photo and a request directly to pixels, without a plan."""
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from easydict import EasyDict
from tabulate import tabulate

from core.datasets import WordVocab, fit_short_edge, load_image, to_tensor
from core.engine.checkpoints import load_checkpoint, tested_network
from core.engine.folders import run_folder
from core.engine.options import Parser
from core.files import UserError, identity, naming
from core.methods.planner import THUMBNAIL, Edited, as_result
from core.metrics.language import FIXED_REQUESTS, request_variance
from core.models.gan.filter_bank import FilterBank
from core.models.gan.generators import Generator
from core.pages import write_results
from core.synthesis.photos import bundled

MOST_PIXELS = 2 << 20   # of the largest photo: a generator holds about a hundred numbers per pixel
AT_ONCE = 1 << 20       # pixels of the results that are generated in one batch


class ImageMethod:
    """A trained generator: (photo, requests) -> one Edited each. It works at the photo's own size, on a GPU if any."""

    def __init__(self, generator: Generator | FilterBank, device: str | None = None) -> None:
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.generator = generator.to(self.device).eval()
        self.vocab = WordVocab(generator.config.words)

    @classmethod
    def of_run(cls, options: EasyDict) -> Self:
        """Rebuild the generator of a run. Raises UserError if it is missing or was trained with other flags."""
        path = run_folder(options) / options.checkpoint
        state = load_checkpoint(path, options.experiment)
        for name in options.expected:
            wanted, trained = options[name], state.get("options", {}).get(name)
            if None not in (wanted, trained) and wanted != trained:
                raise UserError(f"{path}: was trained with --{name} {trained}, not {wanted}; give another "
                                f"--trial, or leave the flag out")
        saved = tested_network(state)
        of_before = "FilterBank" if "num_G" in saved.get("config", {}) else "Generator"   # for old checkpoints
        network = FilterBank if saved.get("class", of_before) == "FilterBank" else Generator
        generator = network.from_checkpoint(saved, path)
        with naming(path):
            return cls(generator)

    @property
    def about(self) -> dict[str, Any]:
        """Plain values that describe the generator and the size at which it works."""
        return {"network": self.generator.config.net,
                "works at": f"the photo's size, padded to a multiple of {self.generator.divisor}; trained at "
                            f"{THUMBNAIL} x {THUMBNAIL}"}

    @torch.no_grad()
    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        """Edit one photo (3, H, W) in [0, 1] by each of `requests`; return one Edited for each.

        Raises UserError for a photo of more than MOST_PIXELS; a photo is never shrunk silently.
        """
        _, height, width = image.shape
        if height * width > MOST_PIXELS:
            raise UserError(f"a photo of {width} x {height} pixels is too large for an image generator "
                            f"(at most {MOST_PIXELS / 1e6:.1f} megapixels); shrink the photo, for example by "
                            f"--short_edge, or use a planner")
        ids = torch.tensor([self.vocab.encode(request) for request in requests], device=self.device)
        photo, image = image, image[None].to(self.device)
        results = [self.generator(image, part) for part in ids.split(max(AT_ONCE // (height * width), 1))]
        return [Edited(photo, image=result.cpu()) for result in torch.cat(results)]

    def __call__(self, image: torch.Tensor, request: str) -> Edited:
        edited, = self.edits(image, [request])
        return edited


def add_expected(parser: Parser, **kinds: Callable[[str], Any]) -> Parser:
    """Add flags {name: type} of the training; `ImageMethod.of_run` refuses other values. Return the parser."""
    group = parser.add_argument_group("flags of the training (a run that was trained with other values is refused)")
    for name, kind in kinds.items():
        group.add_argument(f"--{name}", type=kind, help="value in the training of the run")
    parser.set_defaults(expected=tuple(kinds))
    return parser


def add_demo(parser: Parser) -> Parser:
    """Add the flags of `demonstrate`; return the parser."""
    parser.add_argument("--img", help="photo; by default the bundled photo of the test phase")
    parser.add_argument("--requests", nargs="+", metavar="REQUEST", default=FIXED_REQUESTS, help="requests; by default "
                        "the ten fixed requests over which the variance is measured")
    return parser


@torch.no_grad()
def demonstrate(options: EasyDict) -> None:
    """Edit one photo by several requests; print each result's L1 to the photo and to the mean result; write a page."""
    method = ImageMethod.of_run(options)
    page = run_folder(options) / "demo" / "web"
    name, pixels = load_photo(options.img, page)
    image = to_tensor(fit_short_edge(pixels, options.short_edge))
    edits = method.edits(image, options.requests)
    results = torch.stack([edited.image for edited in edits])
    moved, apart = ((results - other).abs().mean((1, 2, 3)).tolist() for other in (image, results.mean(0)))
    folder = run_folder(options)
    print(f"{name}, {image.shape[2]}x{image.shape[1]}, {folder / options.checkpoint}, "
          f"{', '.join(f'{key} {value}' for key, value in method.about.items())}")
    print(tabulate(zip(options.requests, moved, apart, strict=True), floatfmt=".4f",
                   headers=("request", "change of the photo", "distance from the mean of all")))
    print(f"variance over the requests: {request_variance(results):.6f}")
    write_results(page, f"{folder.name} on {name}", [
        as_result(request, request, edited, metrics={"change": change, "apart": distance})
        for request, edited, change, distance in zip(options.requests, edits, moved, apart, strict=True)])
    print(f"page: {page / 'index.html'}")


def load_photo(path: str | None, page: Path) -> tuple[str, np.ndarray]:
    """Return name and uint8 pixels of the photo `path`; if it is empty, of the first bundled photo of the test phase.

    Raises UserError where the photo is a picture in `page`, the folder of a page that will be overwritten.
    """
    if path and identity(page) in map(identity, Path(path).resolve().parents):
        raise UserError(f"{path}: is a picture of the page in {page}, which will be overwritten; copy the "
                        f"photo elsewhere first")
    if path:
        return path, load_image(path)
    photo = next(photo for photo in bundled() if photo.phase == "test")
    return photo.name, photo.load()
