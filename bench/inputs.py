"""Inputs of the bench with fixed sizes and seeds, from photos that installed packages ship or from a data set."""
import torch

from core.datasets import load_image, squash, to_tensor
from core.datasets.annotations import annotation_path, read_annotation
from core.datasets.images import resize
from core.models.planner import Planner, PlannerConfig
from core.operators import END, MAX_STEPS, START, Plan, Step
from core.synthesis.photos import bundled
from core.synthesis.synth import make_sample

REQUEST = "make it a little brighter and the colours pop please"
WORDS = ("<NONE>", START, END, "<UNK>", *REQUEST.split())
LENGTH = 17   # word ids of an encoded request
PLAN = Plan((Step.make("brightness", [0.2]), Step.make("contrast", [0.3]), Step.make("saturation", [0.25]),
             Step.make("hue", [*range(12, 4, -1), *[1] * 8, *range(4, 12)]), Step.make("sharpness", [0.5])))


def photo(width, height):
    """Return a photo as uint8 (height, width, 3), enlarged from one that a package ships."""
    china, = (source for source in bundled() if source.name == "china")
    return resize(china.load(), height, width)


def pairs(count, side, data_root=None):
    """Return (before, after), each (count, 3, side, side), of the val pairs of a data set or of synthetic pairs."""
    if data_root is None:
        pictures = made_pairs(count, side)
    else:
        entries = read_annotation(annotation_path(data_root, "val", 1))
        chosen = [entries[i] for i in torch.linspace(0, len(entries) - 1, min(count, len(entries))).int().tolist()]
        pictures = [[squash(load_image(f"{data_root}/images/{entry[end]}"), side) for end in ("input", "output")]
                    for entry in chosen]
    return tuple(torch.stack([to_tensor(pair[end]) for pair in pictures]) for end in (0, 1))


def made_pairs(count, side):
    """Return `count` uint8 pairs (before, after) of synthetic edits with two or three operators."""
    photos, index, pictures = bundled(), 0, []
    while len(pictures) < count:
        sample = make_sample(photos, seed=0, size=side, session=0, index=index, kind="compound")
        index += 1
        if sample is not None:
            pictures.append(sample[1:])
    return pictures


def untrained_planner(vis_encoder):
    """Return a planner with random weights that always plans the maximal number of steps, which costs the most."""
    torch.manual_seed(0)
    planner = Planner(PlannerConfig(WORDS, vis_encoder=vis_encoder))
    with torch.no_grad():
        planner.operator_head.bias[planner.vocab.ids[END]] = -100
    return planner


def training_batch(planner, size, side):
    """Return a training batch of random pictures, random requests and random plans of one to five operators."""
    random, vocab = torch.Generator().manual_seed(0), planner.vocab
    plannable = [index for index, _ in vocab.plannable]
    ops = torch.zeros(size, MAX_STEPS + 2, dtype=torch.long)
    params = torch.zeros(size, MAX_STEPS, vocab.max_params)
    for i in range(size):
        length = i % MAX_STEPS + 1
        order = torch.randperm(len(plannable), generator=random)[:length].tolist()
        for step, index in enumerate(plannable[choice] for choice in order):
            row = vocab[index]
            ops[i, step + 1] = index
            params[i, step, :row.n_params] = row.squash(torch.randn(row.n_params, generator=random))
        ops[i, length + 1] = vocab.ids[END]
    ops[:, 0] = vocab.ids[START]
    request = torch.randint(3, len(planner.config.words), (size, LENGTH), generator=random)
    words = torch.randint(3, LENGTH, (size, 1), generator=random)
    request = request.masked_fill(torch.arange(LENGTH) >= words, 0)
    image, target = torch.rand(2, size, 3, side, side, generator=random)
    return {"input": image, "target": target, "request_ids": request, "ops": ops, "params": params}
