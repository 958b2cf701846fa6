"""Show what the discriminator of a seq2seq + GAN run wants to see: edit one photo by plans that it likes best.

Prints for each request the plan, and what the photo costs before and after (-log of the probability that the edit
fits, by the discriminator); writes a page of the edits with every step.

  python core/demo_seq2seqGAN_plan.py --no_lsgan --no_vgg_loss --no_ganFeat_loss --trial 7
"""
import argparse

import _init_paths  # noqa: F401
import torch
from tabulate import tabulate

from core.datasets import fit_short_edge, to_tensor
from core.engine.cli import run
from core.engine.editing import as_result, thumbnail
from core.engine.images import add_demo, open_photo
from core.engine.judged import PREFIX, JudgedPlanner, add_search
from core.engine.options import Parser, parse
from core.engine.run import run_folder
from core.operators import execute
from core.pages import write_results

EXPERIMENT = PREFIX + "seq2seqGAN-disc"


def main():
    options = parse(arguments(), EXPERIMENT)
    folder = run_folder(options)
    page = folder / "demo" / "web"
    planner = JudgedPlanner.open(options)
    name, pixels = open_photo(options.img, page)
    image = to_tensor(fit_short_edge(pixels, options.short_edge))
    planned = planner.plans(image, options.requests)
    for edited in planned:
        edited.image = execute(edited.plan, image)
    before, after = (costs(planner, image, images, options.requests)
                     for images in ([image] * len(planned), [edited.image for edited in planned]))
    print(f"{name}, {image.shape[2]}x{image.shape[1]}, {planner.about['judge']}")
    print(tabulate([(request, " ".join(step.op for step in edited.plan) or "nothing", *cost) for request, edited, *cost
                    in zip(options.requests, planned, before, after, strict=True)],
                   headers=("request", "plan", "cost before", "after"), floatfmt=".4f"))
    write_results(page, f"{folder.name} on {name}", [
        as_result(request, request, image, edited, metrics={"input cost": cost_in, "output cost": cost_out})
        for request, edited, cost_in, cost_out in zip(options.requests, planned, before, after, strict=True)])
    print(f"page: {page / 'index.html'}")


@torch.no_grad()
def costs(planner, image, images, requests):
    """Return what edits of one photo cost by their requests, as numbers."""
    source, results = (torch.stack([thumbnail(x) for x in pictures]).to(planner.device)
                       for pictures in ([image] * len(images), images))
    return planner.judge(source, requests)(results, torch.arange(len(images))).tolist()


def arguments():
    parser = add_demo(add_search(Parser(__doc__).add_data().add_test()))
    for flag in ("--no_lsgan", "--no_vgg_loss", "--no_ganFeat_loss"):   # the notebook's; the checkpoint knows them
        parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    run(main)
