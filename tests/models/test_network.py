"""Checkpoints of networks: the stored class, and the names that layers had in older checkpoints."""
from pathlib import Path

import pytest
import torch

from core.engine.checkpoints import load_checkpoint
from core.files import UserError
from core.methods.planner import PlannerMethod
from core.models.critic import Critic, CriticConfig
from core.models.gan.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from core.models.gan.filter_bank import FilterBank, FilterBankConfig
from core.models.gan.generators import Generator, GeneratorConfig
from core.models.network import RENAMED, current_name
from core.models.planner import Planner, PlannerConfig

SHIPPED = Path(__file__).parents[2] / "data/planner/small.pt"
WORDS = ("<NONE>", "<START>", "<END>", "<UNK>", "brighter", "darker")
TEXT = {"hidden_size": 8, "vector_size": 5, "fixed_vectors": False}
NETWORKS = {
    "Planner": lambda: Planner(PlannerConfig(WORDS, vis_encoder="small", **TEXT)),
    "Critic": lambda: Critic(CriticConfig(WORDS, cond_nc=6, **TEXT)),
    "discriminator": lambda: MultiScaleDiscriminator(DiscriminatorConfig(WORDS, cond_nc=4, ndf=2, **TEXT)),
    "spectral": lambda: MultiScaleDiscriminator(DiscriminatorConfig(WORDS, cond_nc=4, ndf=2, norm="spectral", **TEXT)),
    "FilterBank": lambda: FilterBank(FilterBankConfig(WORDS, "unet_16", 2, ngf=2, **TEXT)),
    **{f"{net} {fusion}": lambda net=net, fusion=fusion: Generator(
        GeneratorConfig(WORDS, net, fusion, ngf=2, norm="batch", cond_nc=3, **TEXT))
       for net in ("unet_16", "resnet_1blocks", "local_1blocks") for fusion in ("concat", "FiLM", "lowrank_BP")},
}


def under_old_names(network):
    """Return the weights of a network under the names of older checkpoints."""
    weights = {}
    for key, value in network.state_dict().items():
        for old, new in RENAMED[type(network).__name__].items():
            key = f".{key}".replace(f".{new}.", f".{old}.")[1:]
        weights[key] = value
    return weights


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_under_old_names_load_to_the_same_bits(name):
    torch.manual_seed(0)
    network = NETWORKS[name]()
    saved = network.checkpoint()
    old = under_old_names(network)
    assert any(key.startswith("read.") for key in old)
    del saved["class"]   # older checkpoints name no class
    torch.manual_seed(1)
    again = type(network).from_checkpoint(saved | {"weights": old})
    assert again.state_dict().keys() == network.state_dict().keys()
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    resumed = NETWORKS[name]()
    resumed.load_state_dict(old)   # as a resumed run does
    assert all(torch.equal(resumed.state_dict()[key], value) for key, value in network.state_dict().items())
    assert any(key.startswith("read.") for key in old), "the caller's dict is untouched"


@pytest.mark.parametrize(("network", "old", "new"), [
    ("Planner", "look.out.weight", "visual_encoder.out.weight"),
    ("Planner", "choose.bias", "operator_head.bias"), ("Planner", "heads.hue.weight", "heads.hue.weight"),
    ("Critic", "look_up.weight", "query_projection.weight"), ("Critic", "see.0.bias", "visual_projection.0.bias"),
    ("MultiScaleDiscriminator", "scales.1.judge.weight", "scales.1.logit_head.weight"),
    ("FilterBank", "bank.2.down.0.1.weight", "bank.2.down_blocks.0.1.weight"),
    ("Generator", "trunk.inner.fuse.words.0.bias", "trunk.global_generator.fusion.sentence_projection.0.bias"),
    ("Generator", "read.words", "request_encoder.words"), ("Other", "read.words", "read.words")])
def test_an_old_key_is_renamed_to_the_current_name(network, old, new):
    assert current_name(network, old) == new == current_name(network, new)


def test_a_checkpoint_names_its_class_and_another_class_refuses_it():
    saved = NETWORKS["FilterBank"]().checkpoint()
    assert saved["class"] == "FilterBank"
    with pytest.raises(UserError, match=r"a\.pt: does not fit .*\(it holds a FilterBank\)"):
        Generator.from_checkpoint(saved, "a.pt")


def test_the_shipped_planner_loads_completely_and_its_plans_depend_on_the_photo():
    saved = load_checkpoint(SHIPPED)["model"]
    method = PlannerMethod.load(SHIPPED)
    weights = method.planner.state_dict()
    for key, value in saved["weights"].items():
        assert torch.equal(weights[current_name("Planner", key)], value.float()), key
    black, white = (method.plans(torch.full((3, 32, 32), level), ["fix the exposure"])[0].plan for level in (0.0, 1.0))
    assert black.steps[0].op == white.steps[0].op == "exposure_soft"
    assert black.steps[0].params[0] > 0.2 > -0.1 > white.steps[0].params[0]
