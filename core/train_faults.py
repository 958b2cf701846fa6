"""Train the fault network, which estimates the wrong exposure and the colour cast of a photo for repairs.

Crops of good photos get a random exposure and saturation, and a random cast by the operator `white_balance`; the
network learns the stops and the parameters of the cast. The photos are the unchanged ones of the folder that
`prepro/gen_sky.py` makes, and the bundled ones. data/repairs/README.md has the figures.

  python prepro/gen_sky.py --packages packages --out data/sky      # data/sky/README.md has the packages
  python core/train_faults.py --photos data/sky/images
  cp output/faults.pt data/repairs/faults.pt                       # its SHA-256 belongs into core/models/shipped.py
"""
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from core.colour import to_linear, to_srgb
from core.datasets.images import load_image, to_tensor
from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.files import UserError
from core.filters import preview
from core.models.faults import FaultNetwork
from core.operators import get_operator
from core.photo import check_free
from core.synthesis.photos import bundled

PHOTOS, VIEWS = "photo_*_0?.*", "view_*"   # of gen_sky's pictures; the others are changed copies, and montages
DARK = "hubble_deep_field"           # a bundled photo that is nearly black
CROP, KEPT_SIDE = 40, 160            # pixels: sides of the crops; long edge of the photos that are kept in memory
LEAST_CROP = 0.5                     # share of the photo's sides
STOPS, GOOD_STOPS = (-2.0, 2.0), 0.2    # range for half of the crops; standard deviation for the others
SATURATION, GAMMA = (0.4, 1.3), (0.85, 1.2)   # of half of the crops
CAST, FAINT = (1.7, 1.3), 0.1        # largest parameters of a cast; standard deviation of a faint parameter
CLEAN, ONE = 0.15, 0.3               # share of the crops without a cast, and with a cast of each of the two axes alone
BETA, STOPS_WEIGHT = 0.3, 0.3        # error from which the loss is linear; weight of the exposure's loss


def main():
    options = parse(arguments())
    check_free(Path(options.out), options.overwrite)
    torch.manual_seed(options.manual_seed)
    photos = read_photos(Path(options.photos))
    crops, exposed = draw_crops(photos, options.crops, np.random.default_rng(options.manual_seed))
    network = FaultNetwork()
    print(f"{len(photos)} photos, {len(crops)} crops, {sum(map(torch.numel, network.parameters())):,} weights")
    optimizer = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / options.num_iters)
    bar, mean = tqdm(range(options.num_iters), unit="batch"), None
    for step in bar:
        chosen = torch.randint(len(crops), (options.batch_size,))
        images, faults = degrade(crops[chosen] / 255)
        losses = F.smooth_l1_loss(network(images), faults, beta=BETA, reduction="none")
        loss_exposure, loss_cast = (losses[:, 0] * exposed[chosen]).mean(), losses[:, 1:].mean()
        loss = loss_cast + STOPS_WEIGHT * loss_exposure
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        mean = loss.item() if mean is None else 0.99 * mean + 0.01 * loss.item()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{mean:.4f}")
    network.save(options.out)
    print(f"fault network: {options.out}, loss {mean:.4f}")


def read_photos(folder):
    """Return [(photo (3, H, W) uint8, whether it is well exposed)] of a folder of `prepro/gen_sky.py`.

    The bundled photos for training are added. The views of panoramas have a random exposure.
    """
    found = [(load_image(path), kind == PHOTOS) for kind in (PHOTOS, VIEWS) for path in sorted(folder.glob(kind))]
    if not found:
        raise UserError(f"--photos {folder}: has no photos; make them with prepro/gen_sky.py")
    found += [(photo.load(), True) for photo in bundled() if photo.phase == "train" and photo.name != DARK]
    return [((255 * preview(to_tensor(pixels), KEPT_SIDE)).round().byte(), exposed) for pixels, exposed in found]


def draw_crops(photos, count, rng):
    """Return `count` crops of each photo, uint8 (N, 3, CROP, CROP), and whether they are well exposed, (N,)."""
    crops = []
    for photo, _ in photos:
        for _ in range(count):
            size = [max(round(edge * rng.uniform(LEAST_CROP, 1)), 1) for edge in photo.shape[1:]]
            top, left = (int(rng.integers(edge - part + 1)) for edge, part in zip(photo.shape[1:], size, strict=True))
            crop = photo[None, :, top:top + size[0], left:left + size[1]] / 255
            crops.append((255 * F.interpolate(crop, (CROP, CROP), mode="area")[0]).round().byte())
    return torch.stack(crops), torch.tensor([exposed for _, exposed in photos]).repeat_interleave(count)


def degrade(crops):
    """Return degraded crops (B, 3, h, w), sRGB in [0, 1], and their faults (B, 3), see FaultNetwork."""
    def draw(low, high):
        return torch.empty(len(crops), 1, 1, 1).uniform_(low, high)

    def some(values, others):
        return torch.where(draw(0, 1) < 0.5, values, others)
    light = to_linear(some(crops, crops.flip(3)) ** some(draw(*GAMMA), 1))
    grey = (light * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(1, keepdim=True)
    light = (grey + (light - grey) * some(draw(*SATURATION), 1)).clamp(0, 1)
    stops = some(draw(*STOPS), GOOD_STOPS * torch.randn(len(crops), 1, 1, 1))
    casts = draw_casts(len(crops))
    images = get_operator("white_balance").function(to_srgb(light * 2 ** stops), casts).clamp(0, 1)
    return (255 * images).round() / 255, torch.cat((stops.flatten(1), casts), 1)


def draw_casts(count):
    """Return the parameters of random casts (count, 2)."""
    casts = torch.empty(count, 2).uniform_(-1, 1) * torch.tensor(CAST)
    kind = torch.rand(count)
    for axis in (0, 1):
        faint = (CLEAN + axis * ONE <= kind) & (kind < CLEAN + (axis + 1) * ONE)
        casts[:, axis] = torch.where(faint, FAINT * torch.randn(count), casts[:, axis])
    casts[kind < CLEAN] = 0
    return casts


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--photos", required=True, metavar="FOLDER", help="folder images/ of prepro/gen_sky.py")
    parser.add_argument("--out", metavar="FILE", default="output/faults.pt", help="file of the network")
    parser.add_argument("--overwrite", action="store_true", help="replace a network that exists")
    parser.add_argument("--crops", type=number(int, 1), default=24, help="crops of each photo")
    parser.add_argument("--batch_size", type=number(int, 1), default=32, help="crops in a batch")
    parser.add_argument("--num_iters", type=number(int, 1), default=6000, help="iterations")
    parser.add_argument("--learning_rate", type=number(float, 0), default=0.002, help="learning rate at the start")
    parser.add_argument("--manual_seed", type=number(int, 0, 2**31 - 1), default=0, help="random seed")
    return parser


if __name__ == "__main__":
    run(main)
