"""The fault network: it estimates the wrong exposure and the colour cast of a photo from the colours of its pixels.

A small network sees each pixel alone: its colour, the difference from the pixel to the right, and its height in the
photo. The mean and the maximum of its outputs over the pixels go through a second small network ("Deep Sets", Zaheer et
al. 2017). It was trained by `core/train_faults.py` on freely licensed photos with known faults (`data/repairs`).
"""
import functools
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from core.colour import srgb_to_lab
from core.files import replacing
from core.filters import preview
from core.models import shipped

FILE = Path(__file__).parents[2] / "data/repairs/faults.pt"
REMEDY = "take the file from the repository, or train it with core/train_faults.py and enter its checksum"
SIDE = 48                        # pixels: long edge to which photos are reduced
INPUTS, WIDTH, OUTPUTS = 7, 64, 3   # values that are seen of a pixel; outputs of each layer, and of the last one
SCALE = (0.01, 0.025, 0.025)     # of L*, a* and b*


class FaultNetwork(nn.Module):
    """Photos (B, 3, H, W), sRGB in [0, 1] -> faults (B, 3).

    The first is the exposure in stops, above 0 for too much light. The others are the cast, as the parameters of
    `white_balance` that would add it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pixels = nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.photo = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, OUTPUTS))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        seen = self.pixels(see(preview(images, SIDE)))
        return self.photo(torch.cat((seen.mean(1), seen.amax(1)), 1))

    def save(self, path: str | Path) -> None:
        """Write the weights."""
        with replacing(path) as file:
            torch.save(self.state_dict(), file)


def see(images: torch.Tensor) -> torch.Tensor:
    """Return the inputs of the network, (B, h * w, INPUTS), for the pixels of photos (B, 3, h, w) in [0, 1]."""
    colours = srgb_to_lab(images) * images.new_tensor(SCALE)[:, None, None]
    edges = F.pad(colours[..., 1:] - colours[..., :-1], (0, 1))
    height = torch.linspace(-0.5, 0.5, images.shape[2]).to(images)[:, None].expand_as(images[:, :1])
    return torch.cat((colours, edges, height), 1).flatten(2).mT


@functools.cache
def load_fault_network() -> FaultNetwork:
    """Return the network that ships. Raises UserError if its file is missing or has another checksum."""
    network = FaultNetwork()
    network.load_state_dict(shipped.read_shipped(FILE.name, REMEDY, FILE.parent))
    return network.eval().requires_grad_(False)
