"""Train a stuff head: sky, water, grass, trees, walls and other kinds of stuff, by a linear map on EfficientNet-Lite0.

The backbone stays fixed, so the features of the photos are computed once, for pixels that are drawn evenly from the
classes of each photo. A linear map is trained on them. Four more fits, each without a quarter of the photos, tell how
surely a head must see a class: at most 5% of the photos without the class may raise a false alarm.

The folders hold images/, panoptic/ and panoptic.json in COCO's format. An interrupted training resumes. The finder uses
the head from now on if it is written to its default place.

  python core/train_stuff.py --train data/coco100 --val data/coco40
  python core/train_stuff.py --train data/coco100 --out output/stuff.pt     # then core/test_stuff.py --head
"""
import shutil
from pathlib import Path

import _init_paths  # noqa: F401
import torch
import torch.nn.functional as F
from tqdm import tqdm

from core.engine.batches import SCHEDULES
from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.files import UserError
from core.finding.stuff import find_stuff
from core.models.stuff_head import CLASSES, FILE, OTHER, StuffHead
from core.photo import check_free
from core.training.stuff import FEWEST, calibrate, collect, learnable, measure, open_set, table

BATCH, ENOUGH = 4096, 100_000   # pixels: of an iteration; that tell the mean and the deviation of the features
RECIPE = ("pixels", "num_iters", "learning_rate", "weight_decay", "manual_seed")   # options that the head's file names


def main():
    options = parse(arguments())
    out = Path(options.out)
    check_free(out, options.overwrite)
    photos, count = open_set(options.train, options.photos)
    val = open_set(options.val) if options.val else None
    kept = out.with_name(f"{out.name}.pixels")
    pixels = collect(photos, count, kept, options.pixels, options.manual_seed)
    classes, labels = learnable(pixels)
    if not classes:
        raise UserError(f"{options.train}: no class is shown by {FEWEST} photos; give more photos with stuff, such as "
                        f"{', '.join(CLASSES[:4])}")
    print(f"{count} photos, {len(labels):,} pixels of {', '.join(classes)}")
    if missing := [name for name in CLASSES if name not in classes]:
        print(f"not learned, because fewer than {FEWEST} photos show them: {', '.join(missing)}")

    least = calibrate(pixels, labels, lambda mask: fit(pixels.features[mask], labels[mask], classes, options))
    head = fit(pixels.features, labels, classes, options)
    head.least.copy_(least)
    head.save(out, photos=count, recipe={name: options[name] for name in RECIPE})
    shutil.rmtree(kept, ignore_errors=True)
    print(f"stuff head: {out}")
    if val:
        print(table(measure(*val, lambda image: find_stuff(image, head), classes)))


def fit(features, labels, classes, options):
    """Return a head that is trained on the features (N, F) and labels (N,) of pixels."""
    torch.manual_seed(options.manual_seed)
    head = StuffHead((OTHER, *classes))
    torch.nn.init.zeros_(head.linear.weight)
    some = features[torch.randperm(len(features))[:ENOUGH]].float()
    mean, deviation = some.mean(0), some.std(0) + 1e-3
    optimizer = torch.optim.Adam(head.parameters(), options.learning_rate)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: SCHEDULES["cosine"](step / options.num_iters))
    bar = tqdm(range(options.num_iters), unit="batch", leave=False)
    for step in bar:
        chosen = torch.randint(len(labels), (BATCH,))
        logits = head.linear((features[chosen].float() - mean) / deviation)
        loss = F.cross_entropy(logits, labels[chosen]) + options.weight_decay * head.linear.weight.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}")
    head.take_in(mean, deviation)
    return head.requires_grad_(False)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--train", required=True, metavar="FOLDER", help="photos with panoptic truth to learn from")
    parser.add_argument("--val", metavar="FOLDER", help="photos with panoptic truth on which the head is measured")
    parser.add_argument("--out", metavar="FILE", default=str(FILE), help="file of the head")
    parser.add_argument("--overwrite", action="store_true", help="replace a head that exists")
    parser.add_argument("--photos", type=number(int, 1), help="number of photos to learn from, the first by name "
                        "(default: all)")
    parser.add_argument("--pixels", type=number(int, 1), default=100, help="most pixels of a class of a photo")
    parser.add_argument("--num_iters", type=number(int, 1), default=300, help="iterations of each fit")
    parser.add_argument("--learning_rate", type=number(float, 0), default=0.01, help="highest learning rate")
    parser.add_argument("--weight_decay", type=number(float, 0), default=0.01, help="factor of the squared "
                        "weights in the loss")
    parser.add_argument("--manual_seed", type=number(int, 0, 2**31 - 1), default=0, help="random seed")
    return parser


if __name__ == "__main__":
    run(main)
