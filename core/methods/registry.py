"""The registry of methods: a script opens each method by its name, and all methods have one interface.

    method = load_method(options)                      # --experiment, --trial, --checkpoint, --dataset, ...
    edited = method(image, "make it brighter")         # image (3, H, W) in [0, 1] -> Edited
    several = method.edits(image, ["warmer", "darker"])

A new experiment adds one line to METHODS: its name and a function from options to a Method.
"""
import argparse
from collections.abc import Callable, Sequence
from typing import Any

import torch
from easydict import EasyDict

from core.datasets import ActionSet, PairDataset, action_set_path
from core.datasets.annotations import pair_name
from core.engine.data import load_phase, read_phase
from core.engine.folders import run_folder
from core.engine.language import load_language
from core.engine.options import Parser, add_check, number
from core.files import UserError, listing
from core.methods.gate import Gate, Refusal
from core.methods.generator import ImageMethod
from core.methods.judged import JudgedPlanner, plans_on_targets
from core.methods.keywords import keyword_plan
from core.methods.mend import UNASKED, mend
from core.methods.planner import THUMBNAIL, Edited, PlannerMethod
from core.methods.wishes import plan_wishes
from core.operators import Plan
from core.planning import action_options
from core.planning.auto_tone import auto_tone
from core.planning.mean import mean_edit
from core.requests.reader import read_wishes


class Method:
    """A method under test: a callable (image, request, name) -> Edited, with a description of itself.

    `label` is a short name, `about` holds plain values for `metrics.json`, and `vocab` is the WordVocab that the method
    reads with, or None. `answers_any` is False for a method that knows only the pairs of a data set. `unasked` is the
    price with which its plans are mended.
    """

    answers_any = True
    vocab = None
    unasked = UNASKED

    def __init__(self, label: str, **about: Any) -> None:
        self.label, self.about = label, about

    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        """Edit one photo (3, H, W) in [0, 1] by each of `requests`; return one Edited for each."""
        raise NotImplementedError

    def __call__(self, image: torch.Tensor, request: str, name: str | None = None) -> Edited:
        """Edit a photo by one request; `name` is the pair's, for methods that look up the plan of a pair."""
        edited, = self.edits(image, [request])
        return edited


class LearnedPlans(Method):
    """A trained planner: it reads all requests in one batch, and the plans run on the photo."""

    def __init__(self, planner: PlannerMethod | JudgedPlanner, label: str, **about: Any) -> None:
        super().__init__(label, **about)
        self.planner, self.vocab, self.unasked = planner, planner.vocab, planner.unasked

    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        return self.planner.plans(image, requests)


class Checked(Method):
    """A method whose plans are checked: mended for the wishes of each request, or planned behind the gate.

    Behind the gate, a request that holds nothing LDIE can do leaves the photo as it is.
    """

    def __init__(self, method: Method, how: str) -> None:
        """Check the plans of `method`; `how` is one of CHECKS. Raises UserError for a method without plans."""
        if not isinstance(method, LearnedPlans | RulePlans) or (how == "gate" and not isinstance(method, LearnedPlans)):
            raise UserError(f"--check {how}: {method.label} does not plan; give a planner")
        super().__init__(f"{method.label}, {CHECKS[how]}", **method.about, check=how)
        self.method, self.vocab = method, method.vocab
        self.gate = Gate(method.planner) if how == "gate" else None

    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        if self.gate is None:
            return [Edited(image, self._mended(edited.plan, image, request), edited.words, edited.attention)
                    for edited, request in zip(self.method.edits(image, requests), requests, strict=True)]
        return [self._behind_gate(image, request) for request in requests]

    def _behind_gate(self, image, request):
        try:
            return self.gate(image, request)
        except Refusal:
            return Edited(image, Plan())

    def _mended(self, plan, image, request):
        """Return the mended plan; an empty one for a request to change nothing."""
        wishes = read_wishes(request)
        if wishes and all(wish.attribute == "unchanged" for wish in wishes):
            return Plan()
        return mend(plan, image, wishes, self.method.unasked)


class SwappedPhotos(Method):
    """A control: the planner plans on another photo of the set, and the plan is executed on the right photo.

    A planner that uses the photo gets worse, while a planner that reads the words alone does not.
    """

    answers_any = False

    def __init__(self, planned: Method, dataset: PairDataset) -> None:
        """Swap photos for `planned`, a LearnedPlans; photo k of the PairDataset `dataset` is planned on photo k + 1.

        Raises UserError where the method has no planner or the data set has one photo only.
        """
        if not isinstance(planned, LearnedPlans):
            raise UserError(f"--swap_photos: {planned.label} does not plan on a photo; give a planner")
        super().__init__(f"{planned.label}, planned on another photo", **planned.about, swapped_photos=True)
        self.planner, self.vocab, self.dataset = planned.planner, planned.vocab, dataset
        photos = {}
        for index, entry in enumerate(dataset.annotations):
            photos.setdefault(entry["input"], index)
        if len(photos) < 2:
            raise UserError("--swap_photos: the data set has one photo only; give a data set with several")
        indices = list(photos.values())
        self.other = dict(zip(photos, [*indices[1:], indices[0]], strict=True))

    def __call__(self, image: torch.Tensor, request: str, name: str | None = None) -> Edited:
        other = self.dataset[self.other[name.split(">")[0]]]["input"]
        edited, = self.planner.plans(other, [request])
        return Edited(image, edited.plan, edited.words, edited.attention)


class LearnedImages(Method):
    """A trained image generator: it reads all requests in one batch and generates a picture for each."""

    def __init__(self, images: ImageMethod, label: str, **about: Any) -> None:
        super().__init__(label, **about | images.about)
        self.images, self.vocab = images, images.vocab

    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        return self.images.edits(image, requests)


class RulePlans(Method):
    """Plans by a rule: a function (image, request) -> Plan that has learnt nothing from words."""

    def __init__(self, rule: Callable[[torch.Tensor, str], Plan], label: str, **about: Any) -> None:
        super().__init__(label, **about)
        self.rule = rule

    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        plans = [self.rule(image, request) for request in requests]
        edits = {plan: Edited(image, plan) for plan in dict.fromkeys(plans)}   # most rules give many requests one plan
        return [edits[plan] for plan in plans]


class KnownPlans(Method):
    """One plan for each pair, found from its target and looked up by its name: an oracle for these pairs only."""

    answers_any = False

    def __init__(self, plans: dict[str, Plan], label: str, **about: Any) -> None:
        super().__init__(label, **about)
        self.plans = plans

    def edits(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        raise UserError(f"{self.label}: knows the pairs of its data set only and answers no other request; give "
                        f"another method")

    def __call__(self, image: torch.Tensor, request: str, name: str | None = None) -> Edited:
        return Edited(image, self.plans[name])


def load_method(options: EasyDict) -> Method:
    """Open the method of `options.experiment`. Raises UserError where the method or one of its files is missing."""
    if options.experiment not in METHODS:
        raise UserError(f"--experiment {options.experiment}: unknown; known are: {', '.join(METHODS)}")
    method = METHODS[options.experiment](options)
    method.about = {"experiment": options.experiment, "trial": options.trial} | method.about
    return Checked(method, options.check) if options.check else method


def _planner(options):
    method = PlannerMethod.load(run_folder(options) / options.checkpoint, options.experiment)
    return LearnedPlans(method, f"{options.experiment} trial {options.trial}", checkpoint=options.checkpoint,
                        parameters=_count(method.planner))


def _images(options):
    method = ImageMethod.of_run(options)
    return LearnedImages(method, f"{options.experiment} trial {options.trial}", checkpoint=options.checkpoint,
                         parameters=_count(method.generator))


def _planned_by_judge(options):
    planner = JudgedPlanner.of_run(options)
    return LearnedPlans(planner, f"planned on {planner.about['judge']}", checkpoint=options.checkpoint,
                        parameters=_count(planner.scorer), **planner.about)


def _count(network):
    """Return the number of a network's parameters: fixed word vectors count, MiniLM does not (no checkpoint has it)."""
    return sum(parameter.numel() for parameter in network.parameters())


def _planned_by_target(options):
    return KnownPlans(plans_on_targets(options), "planned on the target")


def _identity(options):
    return RulePlans(lambda image, request: Plan(), "identity")


def _mean_edit(options):
    """Return the mean edit of the training pairs: curves and colour, no operator that uses neighbouring pixels."""
    train = load_phase(options, "train", load_language(options).vocab, size=THUMBNAIL, cache=f"{options.output}/cache")
    samples = [train[index] for index in torch.linspace(0, len(train) - 1, min(len(train), 1024)).int().tolist()]
    fit = action_options(1, operators=("brightness", "contrast", "saturation", "hue", "tint"), tolerance=0.0)
    plan = mean_edit(*(torch.stack([sample[side] for sample in samples]) for side in ("input", "target")), fit)
    return RulePlans(lambda image, request: plan, "mean training edit")


def _auto_tone(options):
    return RulePlans(lambda image, request: auto_tone(image), "auto-tone")


def _keywords(options):
    return RulePlans(lambda image, request: keyword_plan(request), "keyword editor")


def _wishes(options):
    return RulePlans(lambda image, request: plan_wishes(read_wishes(request), image), "keyword plan of the panel")


def _planned(options):
    """Return the plans that `prepro/gen_greedy_seqs.py` found from the targets of all pairs of this phase."""
    actions = ActionSet(action_set_path(options.action_id, options.dataset, options.phase, options.session,
                                        options.output))
    names = [pair_name(entry) for entry in read_phase(options, options.phase)[1]]
    missing = [name for name in names if name not in actions.done]
    if missing:
        raise UserError(f"{actions.path}: has no plan of {len(missing)} of the {len(names)} pairs "
                        f"({listing(missing)}); plan them by prepro/gen_greedy_seqs.py --dataset {options.dataset} "
                        f"--phase {options.phase} --action_id {options.action_id}")
    return KnownPlans(actions.plans(), "planned from the target", action_id=options.action_id)


CHECKS = {"mend": "mended", "gate": "behind the gate"}
REFERENCES = {"identity": _identity, "mean_edit": _mean_edit, "auto_tone": _auto_tone, "keywords": _keywords,
              "wishes": _wishes, "planned": _planned}
METHODS = {
    "seq2seqL1": _planner,
    "actor_fs": _planner,
    "seq2seqGAN": _planner,
    "seq2seqAdaptGAN": _planner,
    "pix2pixHD": _images,
    "bilinearGAN": _images,
    "HaiWang": _images,
    "plan_on_L1": _planned_by_target,
    "plan_on_self-disc": _planned_by_judge,
    "plan_on_seq2seqGAN-disc": _planned_by_judge,
    **REFERENCES,
}


def add_method(parser: Parser) -> Parser:
    """Add the flags that name a method which answers any request; return the parser."""
    group = parser.add_argument_group("method")
    group.add_argument("--experiment", default="seq2seqL1", choices=sorted(set(METHODS) - set(REFERENCES)),
                       help="experiment whose run is tested")
    group.add_argument("--reference", dest="experiment", default=argparse.SUPPRESS,
                       choices=sorted(set(REFERENCES) - {"planned"}),   # "planned" answers its own pairs only
                       help="test this reference method instead, which learns nothing from words")
    group.add_argument("--trial", type=number(int, 0), default=1, help="numbered trial whose run is tested")
    add_check(group)
    group.add_argument("--checkpoint", default="best.pt", help="file in the run's folder: best.pt or last.pt")
    return parser
