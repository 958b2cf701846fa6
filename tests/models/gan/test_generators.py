"""Image generators: sizes, influence of the words with each fusion and norm, and refused names."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.files import UserError
from core.models.gan.fusion import FUSIONS
from core.models.gan.generators import Generator, GeneratorConfig, build_trunk

WORDS = tuple(f"word{number}" for number in range(12))
NETS = ("unet_16", "resnet_1blocks", "global_1blocks", "local_1blocks")


def generator(net="resnet_1blocks", fusion="FiLM", norm="batch", **config):
    torch.manual_seed(0)
    return Generator(GeneratorConfig(WORDS, net, fusion, ngf=4, norm=norm, cond_nc=6, hidden_size=8, vector_size=5,
                                     fixed_vectors=False, **config))


def requests(count, seed=0):
    ids = torch.randint(4, len(WORDS), (count, 7), generator=torch.Generator().manual_seed(seed))
    ids[:, 0], ids[:, 5], ids[:, 6] = 1, 2, 0
    return ids


def pictures(count, height=24, width=20, seed=0):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("net", NETS)
@given(height=st.integers(1, 40), width=st.integers(1, 40))
@settings(deadline=None, max_examples=12)
def test_a_result_has_the_size_and_the_range_of_the_picture(net, height, width):
    result = generator(net).eval()(pictures(2, height, width), requests(2))
    assert result.shape == (2, 3, height, width)
    assert result.min() >= 0 and result.max() <= 1


@pytest.mark.parametrize("net", NETS)
def test_a_picture_is_padded_at_its_border_and_the_result_cropped(net):
    trunk = build_trunk(net, 4, "instance").eval()
    picture = pictures(1, 2 * trunk.smallest, 2 * trunk.smallest)
    cut = picture[..., :-3, :-1]
    padded = torch.cat((cut, cut[..., -1:]), 3)
    padded = torch.cat((padded, *[padded[..., -1:, :]] * 3), 2)
    torch.testing.assert_close(trunk(cut), trunk(padded)[..., :-3, :-1])
    assert not torch.allclose(trunk(cut), trunk(picture)[..., :-3, :-1])


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("net", NETS)
def test_one_picture_for_many_requests_equals_copies_of_the_picture(net, fusion):
    network, picture, words = generator(net, fusion, "instance").eval(), pictures(1), requests(3)
    torch.testing.assert_close(network(picture, words), network(picture.expand(3, -1, -1, -1), words))


def spread(network):
    """Return the largest spread of a pixel over requests, in double precision, so that no influence gives nearly 0."""
    with torch.no_grad():
        return network.double().eval()(pictures(1, 32, 32).double(), requests(4)).std(0).max().item()


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("net", NETS)
def test_results_depend_on_the_words(net, fusion, norm):
    assert spread(generator(net, fusion, norm)) > 1e-10


@pytest.mark.parametrize("net", NETS[1:])
def test_an_instance_norm_erases_concatenated_words(net):
    """The notebook's pix2pixHD cannot distinguish requests. The other fusions act after the norm and keep the words."""
    assert spread(generator(net, "concat", "instance")) < 1e-12
    assert spread(generator(net, "FiLM", "instance")) > 1e-5
    assert spread(generator(net, "lowrank_BP", "instance")) > 1e-5


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("net", NETS)
def test_every_parameter_learns_from_the_pixels(net, fusion):
    network = generator(net, fusion, "none")
    (network(pictures(2, 32, 32), requests(2)) - pictures(2, 32, 32, seed=1)).square().mean().backward()
    still = [name for name, parameter in network.named_parameters()
             if parameter.grad is None or not parameter.grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize("net", NETS)
def test_a_checkpoint_rebuilds_the_same_generator(net):
    network = generator(net, "lowrank_BP")
    network.train()(pictures(3), requests(3))
    again = Generator.from_checkpoint(network.checkpoint())
    torch.testing.assert_close(again.eval()(pictures(2), requests(2)), network.eval()(pictures(2), requests(2)))
    assert again.divisor == network.divisor


def test_training_with_batch_norm_refuses_a_batch_of_one():
    with pytest.raises(UserError, match=r"--batch_size 1: batch norm has no .* --norm_G instance"):
        generator(norm="batch").train()(pictures(1), requests(1))
    generator(norm="instance").train()(pictures(1), requests(1))
    generator(norm="batch").eval()(pictures(1), requests(1))


def test_the_name_of_a_generator_sets_its_size():
    sizes = {net: sum(weight.numel() for weight in build_trunk(net, 4, "none").parameters())
             for net in ("resnet_1blocks", "resnet_2blocks", "global_1blocks", "local_1blocks")}
    assert list(sizes.values()) == sorted(sizes.values())
    assert [build_trunk(net, 2, "none").divisor for net in ("unet_128", "resnet_7blocks", "global_1blocks",
                                                           "local_1blocks")] == [128, 4, 16, 32]


@pytest.mark.parametrize("net", ["unet_100", "unet_4", "resnet", "resnet_xblocks", ""])
def test_an_unknown_generator_is_refused_by_name(net):
    with pytest.raises(UserError, match=rf"generator '{net}' is unknown; give unet_128"):
        build_trunk(net, 4, "none")
