"""Show which edits the discriminator of a seq2seq + GAN run prefers: edit one photo by the plans that it scores best.

Prints the plan for each request, and the cost before and after (-log of the probability that the edit fits, according
to the discriminator). Writes a page of the edits with every step.

  python core/demo_seq2seqGAN_plan.py --no_lsgan --no_vgg_loss --no_ganFeat_loss --trial 7
"""

import _init_paths  # noqa: F401
import torch
from tabulate import tabulate

from core.datasets import fit_short_edge, to_tensor
from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import Parser, parse
from core.methods.generator import add_demo, load_photo
from core.methods.judged import PREFIX, JudgedPlanner, add_search
from core.methods.planner import as_result, thumbnail
from core.pages import write_results

EXPERIMENT = PREFIX + "seq2seqGAN-disc"


def main():
    options = parse(arguments(), EXPERIMENT)
    folder = run_folder(options)
    page = folder / "demo" / "web"
    planner = JudgedPlanner.of_run(options)
    name, pixels = load_photo(options.img, page)
    image = to_tensor(fit_short_edge(pixels, options.short_edge))
    planned = planner.plans(image, options.requests)
    before, after = (costs(planner, image, images, options.requests)
                     for images in ([image] * len(planned), [edited.image for edited in planned]))
    print(f"{name}, {image.shape[2]}x{image.shape[1]}, {planner.about['judge']}")
    print(tabulate([(request, " ".join(step.op for step in edited.plan) or "nothing", *cost) for request, edited, *cost
                    in zip(options.requests, planned, before, after, strict=True)],
                   headers=("request", "plan", "cost before", "after"), floatfmt=".4f"))
    write_results(page, f"{folder.name} on {name}", [
        as_result(request, request, edited, metrics={"input cost": cost_in, "output cost": cost_out})
        for request, edited, cost_in, cost_out in zip(options.requests, planned, before, after, strict=True)])
    print(f"page: {page / 'index.html'}")


@torch.no_grad()
def costs(planner, image, images, requests):
    """Return the costs of edits of one photo by their requests, as a list of numbers."""
    source, results = (torch.stack([thumbnail(x) for x in pictures]).to(planner.device)
                       for pictures in ([image] * len(images), images))
    return planner.judge(source, requests)(results, torch.arange(len(images))).tolist()


def arguments():
    parser = add_demo(add_search(Parser(__doc__).add_data().add_test()))
    return parser.add_ignored("--no_lsgan", "--no_vgg_loss", "--no_ganFeat_loss")   # the checkpoint knows them


if __name__ == "__main__":
    run(main)
