"""The perceptual distance: five levels of VGG-19 or, without its weights, of a named substitute network."""
from itertools import pairwise

import pytest
import torch
from torchvision.models import vgg19

from core.files import UserError
from core.losses.perceptual import RELUS, WEIGHTS, load_perceptual


@pytest.fixture(scope="module")
def vgg():
    """Untrained weights of VGG-19 under torchvision's names, without the classifier, which no distance uses."""
    torch.manual_seed(0)
    with torch.device("meta"):
        network = vgg19(init_weights=False)
    return {name: torch.randn(value.shape) * (2 / max(value[0].numel(), 1)) ** 0.5
            for name, value in network.features.state_dict(prefix="features.").items()}


@pytest.fixture(scope="module")
def weights(vgg, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "vgg.pth"
    torch.save(vgg, path)
    return path


@pytest.fixture(scope="module", params=["VGG-19(vgg.pth)", "EfficientNet-Lite0 (stand-in)"])
def distance(request, weights, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.hub, "get_dir", lambda: str(tmp_path_factory.mktemp("hub")))
        loss, name = load_perceptual(weights if request.param.startswith("VGG") else None)
    assert name == request.param
    return loss


def pictures(seed):
    return torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(seed))


def test_the_distance_is_0_for_equal_pictures_and_grows_with_the_difference(distance):
    image, other = pictures(1), pictures(2)
    near, far = distance(image.lerp(other, 0.1), image), distance(other, image)
    assert distance(image, image) == 0
    assert 0 < near < far


def test_a_picture_learns_from_the_distance_and_its_network_does_not(distance):
    before = [value.clone() for value in distance.state_dict().values()]
    target = pictures(1).requires_grad_()
    image = pictures(1).lerp(pictures(2), 0.3).requires_grad_()
    distance.train()
    first = distance(image, target)
    first.backward()
    assert target.grad is None
    step = image.detach() - 0.02 * image.grad / image.grad.norm()
    assert distance(step, target) < first
    assert not any(parameter.requires_grad for parameter in distance.parameters())
    assert not any(module.training for module in distance.modules())
    assert all(torch.equal(*pair) for pair in zip(before, distance.state_dict().values(), strict=True))


def test_there_are_five_levels_each_half_the_side_of_the_one_before(distance):
    levels = distance.levels(pictures(1))
    heights = [level.shape[2] for level in levels]
    assert len(levels) == len(WEIGHTS) == 5
    assert all(coarse == (fine + 1) // 2 or coarse == fine // 2
               for fine, coarse in pairwise(heights))


def test_the_levels_of_vgg_are_the_first_activations_of_its_stages(vgg, weights):
    loss, _ = load_perceptual(weights)
    layers = vgg19(init_weights=False).features
    layers.load_state_dict({name.removeprefix("features."): value for name, value in vgg.items()})
    image = (pictures(1) - loss.mean) / loss.std
    for level, relu in zip(loss.levels(image), RELUS, strict=True):
        torch.testing.assert_close(level, layers[:relu + 1](image))


def test_weights_in_the_cache_of_torch_hub_are_found(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/vgg19-dcbb9e9d.pth").symlink_to(weights)
    assert load_perceptual()[1] == "VGG-19(vgg19-dcbb9e9d.pth)"   # only the published weights get the plain name


@pytest.mark.parametrize("content", [None, b"text", {"features.0.weight": torch.zeros(3)}])
def test_other_files_are_refused_by_name(content, tmp_path):
    path = tmp_path / "other.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        torch.save(content, path)
    with pytest.raises(UserError, match=r"other\.pth: .*VGG-19"):
        load_perceptual(path)
