"""Planning by a learned score: a search without a target, in which a trained network scores the candidates."""
import copy
from collections.abc import Sequence
from typing import Any, Self

import torch
import torch.nn.functional as F
from easydict import EasyDict
from torch.utils.data import DataLoader
from tqdm import tqdm

from core.datasets import WordVocab
from core.engine.checkpoints import load_checkpoint
from core.engine.data import load_phase
from core.engine.folders import run_folder
from core.engine.language import load_language
from core.engine.options import Parser, number
from core.files import UserError, naming
from core.methods.critics import load_critic
from core.methods.mend import UNASKED
from core.methods.planner import THUMBNAIL, Edited, thumbnail
from core.models.gan.discriminator import MultiScaleDiscriminator
from core.operators import Plan
from core.planning import ActionOptions, action_options, plan_by_judge, plan_pairs
from core.planning.goals import Judge

PREFIX = "plan_on_"             # an experiment's name is this prefix and the distance type
BEAM, LONGEST = 2, 3            # small, because the network scores every candidate
BATCH = 32                      # pairs planned at once on their targets


class JudgedPlanner:
    """A planner that searches: (photo, requests) -> plans. A network scores thumbnails; the plan runs on the photo.

    The cost of an edit is -log of the probability that the edit fits the request, which the network's logit gives.
    """

    unasked = UNASKED

    def __init__(self, scorer: torch.nn.Module, words: Sequence[str], search: ActionOptions, device: str | None = None,
                 **about: Any) -> None:
        """Plan by `scorer`, a network with `request_encoder` and `score` as Critic has; `search` are ActionOptions."""
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.scorer, self.vocab, self.search = scorer.to(self.device), WordVocab(words), search
        self.about = about | {"operators": " ".join(search.operators), "beam": search.beam, "longest": search.max_steps}

    @classmethod
    def of_run(cls, options: EasyDict) -> Self:
        """Load the scoring network that `options.experiment` names; --trial is a trial of that network's experiment.

        Raises UserError if its checkpoint is missing or does not fit.
        """
        judge = options.experiment.removeprefix(PREFIX)
        experiment, load = JUDGES[judge]
        of_judge = copy.copy(options)
        of_judge.experiment = experiment
        path = run_folder(of_judge) / options.checkpoint
        scorer, words = load(path, experiment)
        search = search_options(options, BEAM, LONGEST)
        with naming(path):
            return cls(scorer, words, search, judge=f"{experiment} trial {options.trial}")

    def plans(self, image: torch.Tensor, requests: Sequence[str]) -> list[Edited]:
        """Plan several requests for one photo (3, H, W) in [0, 1]; return one Edited for each, not executed yet."""
        source = thumbnail(image).to(self.device).expand(len(requests), -1, -1, -1)
        judge = self.judge(source, requests)
        return [Edited(image, plan, self.vocab.read(request))
                for plan, request in zip(plan_by_judge(source, judge, self.search), requests, strict=True)]

    def judge(self, source: torch.Tensor, requests: Sequence[str]) -> Judge:
        """Return the cost function of edits of `source` (B, 3, h, w) by B requests: (image, rows) -> costs (N,)."""
        ids = torch.tensor([self.vocab.encode(request) for request in requests], device=self.device)
        encoded = self.scorer.request_encoder(ids)
        return lambda image, rows: F.softplus(
            -self.scorer.score(source[rows], image, *(part[rows] for part in encoded)))


class MeanLogit(torch.nn.Module):
    """A discriminator that scores edits: the mean logit over the positions of each scale, then over the scales."""

    def __init__(self, discriminator: MultiScaleDiscriminator) -> None:
        super().__init__()
        self.discriminator, self.request_encoder = discriminator, discriminator.request_encoder

    def score(self, source: torch.Tensor, candidate: torch.Tensor, *encoded: torch.Tensor) -> torch.Tensor:
        """Return scores (B,) of candidates for encoded requests, as `Critic.score`."""
        logits, _ = self.discriminator.score(source, candidate, *encoded)
        return torch.stack([scale.flatten(1).mean(1) for scale in logits]).mean(0)


def _load_critic(path, experiment):
    critic, _, _ = load_critic(path, experiment)
    return critic, critic.config.words


def _load_discriminator(path, experiment):
    """Return the discriminator of a run as a MeanLogit, and its words. Raises UserError where it reads no words."""
    state = load_checkpoint(path, experiment)
    if "D" not in state.get("others", {}):
        raise UserError(f"{path}: holds no discriminator; train that trial again with core/train_{experiment}.py")
    network = MultiScaleDiscriminator.from_checkpoint(state["others"]["D"]["model"], path)
    if not network.config.use_words:
        raise UserError(f"{path}: its discriminator reads no words, so it cannot score an edit by a request; give "
                        f"another --trial")
    return MeanLogit(network).eval().requires_grad_(False), network.config.words


JUDGES = {"self-disc": ("self_discriminator1", _load_critic), "seq2seqGAN-disc": ("seq2seqGAN", _load_discriminator)}
DIST_TYPES = ("L1", *JUDGES)


def plans_on_targets(options: EasyDict) -> dict[str, Plan]:
    """Plan every pair of the phase of `options` on its target; return {pair name: Plan}."""
    search, plans = search_options(options), {}
    dataset = load_phase(options, options.phase, load_language(options).vocab, size=THUMBNAIL,
                         cache=f"{options.output}/cache")
    for batch in tqdm(DataLoader(dataset, BATCH), desc="planning", unit="batch"):
        found = plan_pairs(batch["input"], batch["target"], search, batch["name"])
        plans |= zip(batch["name"], (planned.plan for planned in found), strict=True)
    return plans


def search_options(options: EasyDict, beam: int | None = None, max_steps: int | None = None) -> ActionOptions:
    """Return the ActionOptions of `add_search`'s flags.

    A flag that is not given has the value of the argument, or without it, of planned set 1.
    """
    names = options.operators
    return action_options(1, operators=names and tuple(names.split(",")),
                          beam=options.beam or beam,
                          max_steps=options.max_steps or max_steps)


def add_search(parser: Parser) -> Parser:
    """Add the flags of a search; return the parser."""
    group = parser.add_argument_group("search")
    group.add_argument("--operators", metavar="NAME,...", help="operators of the search; by default those of "
                       "planned set 1")
    group.add_argument("--beam", type=number(int, 1), help=f"plans kept at each step; by default {BEAM}, or, if the "
                       "target is known, the beam of planned set 1")
    group.add_argument("--max_steps", type=number(int, 1), help=f"steps of the longest plan; by default {LONGEST}, "
                       "or, if the target is known, the value of planned set 1")
    return parser
