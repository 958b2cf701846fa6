"""Sky, water and plants by rule, on drawn scenes."""
import numpy as np
import pytest
import torch

from core.finding.stuff import find_plants, find_sky, find_stuff, find_water

HEIGHT, WIDTH = 96, 128
HORIZON = 45


def noise(strength, seed=0, size=(HEIGHT, WIDTH)):
    return strength * torch.randn(1, *size, generator=torch.Generator().manual_seed(seed))


def fill(*rgb):
    return torch.tensor(rgb)[:, None, None].expand(3, HEIGHT, WIDTH)


def landscape(sky, ground, sky_noise=0.005, ground_noise=0.06):
    """Return a scene (3, 96, 128): a sky that gets lighter downwards over rough ground, and the sky's truth."""
    down = torch.linspace(0, 1, HEIGHT)[None, :, None]
    upper = fill(*sky) + 0.1 * down + noise(sky_noise)
    lower = fill(*ground) + noise(ground_noise, 1)
    inside = (torch.arange(HEIGHT) < HORIZON)[:, None].expand(HEIGHT, WIDTH)
    return torch.where(inside, upper, lower).clamp(0, 1), inside.numpy()


def overlap(mask, truth):
    mask = mask > 0.5
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize("sky", [(0.35, 0.55, 0.85), (0.9, 0.9, 0.9), (0.6, 0.75, 0.9), (0.9, 0.75, 0.6)],
                         ids=["clear", "overcast", "pale", "evening"])
@pytest.mark.parametrize("ground", [(0.35, 0.3, 0.25), (0.2, 0.3, 0.12)], ids=["soil", "grass"])
def test_the_sky_is_found(sky, ground):
    image, truth = landscape(sky, ground)
    found = find_sky(image)
    assert (found.name, found.source, found.thing) == ("sky", "rule", False)
    assert 0 < found.score <= 1
    assert found.mask.dtype == np.float32
    assert found.mask.shape == (HEIGHT, WIDTH)
    assert overlap(found.mask, truth) > 0.9


def test_a_tower_before_the_sky_is_left_out():
    image, _ = landscape((0.35, 0.55, 0.85), (0.35, 0.3, 0.25))
    image[:, 15:, 50:70] = torch.tensor([0.45, 0.2, 0.15])[:, None, None]
    found = find_sky(image)
    assert found.mask[20:40, 53:67].max() < 0.3
    assert found.mask[20:40, :45].min() > 0.7


def test_gaps_between_branches_are_sky():
    image, _ = landscape((0.85, 0.88, 0.92), (0.35, 0.3, 0.25))
    image[:, 8:36, 20:70] = torch.tensor([0.15, 0.12, 0.1])[:, None, None]
    image[:, 14:30, 26:64] = torch.tensor([0.9, 0.92, 0.95])[:, None, None]
    mask = find_sky(image).mask
    assert mask[16:28, 30:60].min() > 0.8
    assert mask[9:12, 25:65].max() < 0.3


@pytest.mark.parametrize("image", [
    fill(0.45, 0.35, 0.25) + noise(0.02), fill(0.2, 0.35, 0.12) + noise(0.06), fill(0.6, 0.2, 0.2),
    fill(0.5, 0.5, 0.5) + noise(0.2), landscape((0.45, 0.35, 0.3), (0.9, 0.9, 0.9))[0],
    landscape((0.35, 0.55, 0.85), (0.3, 0.3, 0.3))[0].flip(1)],
    ids=["wood", "grass", "red", "noise", "brown wall over a white table", "blue at the bottom"])
def test_there_is_no_sky(image):
    assert find_sky(image.clamp(0, 1)) is None


def test_plants_are_found_below_the_sky_and_do_not_overlap_it():
    image, sky = landscape((0.35, 0.55, 0.85), (0.25, 0.36, 0.12))
    found = {segment.name: segment.mask for segment in find_stuff(image)}
    assert set(found) == {"sky", "plants"}
    assert overlap(found["plants"], ~sky) > 0.9
    assert ((found["sky"] > 0.5) & (found["plants"] > 0.5)).mean() < 0.02


@pytest.mark.parametrize("image", [landscape((0.35, 0.55, 0.85), (0.4, 0.35, 0.3))[0], fill(0.6, 0.5, 0.4),
                                   fill(0.5, 0.5, 0.5)], ids=["soil", "sand", "grey"])
def test_there_are_no_plants(image):
    assert find_plants(image) is None


def test_water_has_waves_and_is_blue():
    image, sky = landscape((0.85, 0.86, 0.88), (0.1, 0.3, 0.45), ground_noise=0)
    waves = 0.03 * torch.randn(1, HEIGHT // 2, 1, generator=torch.Generator().manual_seed(2))
    image = (image + waves.repeat_interleave(2, 1) * torch.from_numpy(~sky)).clamp(0, 1)
    found = find_water(image)
    assert overlap(found.mask, ~sky) > 0.85
    assert find_water(landscape((0.85, 0.86, 0.88), (0.3, 0.3, 0.3))[0]) is None


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (50, 1), (3, 2)])
def test_plain_and_tiny_pictures_raise_no_error(value, size):
    for segment in find_stuff(torch.full((3, *size), value)):
        assert segment.mask.shape == size
        assert np.isfinite(segment.mask).all()


def test_a_black_or_grey_picture_has_no_stuff():
    assert find_stuff(torch.zeros(3, 60, 80)) == find_stuff(torch.full((3, 60, 80), 0.4)) == []


def test_the_same_photo_gives_the_same_masks():
    image = landscape((0.35, 0.55, 0.85), (0.25, 0.36, 0.12))[0]
    one, other = find_stuff(image), find_stuff(image)
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(one, other, strict=True))


def test_a_mask_has_the_size_of_a_large_photo_and_its_edges():
    image, truth = landscape((0.35, 0.55, 0.85), (0.35, 0.3, 0.25))
    large = torch.nn.functional.interpolate(image[None], (480, 640), mode="nearest")[0]
    mask = find_sky(large).mask
    assert mask.shape == (480, 640)
    assert overlap(mask, np.kron(truth, np.ones((5, 5), bool))) > 0.93


class Head:
    """A head that sees the sky above the horizon, as surely as it is told, and nothing else."""

    def __init__(self, classes=("other", "sky"), strength=6.0, least=0.5, rows=HORIZON // 8):
        self.classes, self.strength, self.least, self.rows = classes, strength, [least] * len(classes), rows

    def logits(self, image):
        logits = torch.zeros(len(self.classes), HEIGHT // 8, WIDTH // 8)
        logits[1, :self.rows] = self.strength
        logits[0, self.rows:] = self.strength
        return logits


def test_a_head_replaces_the_rules_of_the_classes_that_it_knows():
    image, truth = landscape((0.6, 0.75, 0.9), (0.2, 0.3, 0.12))
    found = {segment.name: segment for segment in find_stuff(image, Head())}
    assert {name: segment.source for name, segment in found.items()} == {"sky": "stuff head", "plants": "rule"}
    assert overlap(found["sky"].mask, truth) > 0.9
    both = ("other", "sky", "grass", "trees")   # grass and trees are all plants
    assert [segment.name for segment in find_stuff(image, Head(both))] == ["sky"]


def test_a_class_that_the_head_is_not_sure_of_is_not_there():
    image, _ = landscape((0.6, 0.75, 0.9), (0.35, 0.3, 0.25))
    assert not [one for one in find_stuff(image, Head(strength=0.5, least=0.9)) if one.name == "sky"]


def test_the_sky_head_finds_the_sky_and_leaves_the_rest_to_the_rules():
    image, truth = landscape((0.6, 0.75, 0.9), (0.2, 0.3, 0.12))
    found = {segment.name: segment for segment in find_stuff(image, None, Head())}
    assert {name: segment.source for name, segment in found.items()} == {"sky": "sky head", "plants": "rule"}
    assert overlap(found["sky"].mask, truth) > 0.9
    assert find_stuff(image, Head(), Head())[0].source == "stuff head"   # the user's head knows the sky, too


def test_a_sky_that_the_rule_does_not_know_is_found_by_the_sky_head():
    image, truth = landscape((0.1, 0.1, 0.16), (0.05, 0.05, 0.04), ground_noise=0.02)   # a night
    assert find_sky(image) is None
    sky, = find_stuff(image, None, Head())
    assert overlap(sky.mask, truth) > 0.85


def test_a_wall_that_the_rule_takes_for_a_sky_is_none_if_the_sky_head_sees_none():
    image, _ = landscape((0.9, 0.9, 0.9), (0.35, 0.3, 0.25))
    assert find_sky(image) is not None
    assert not [one for one in find_stuff(image, None, Head(strength=0.5)) if one.name == "sky"]


def test_the_border_is_the_rules_where_both_find_the_same_sky():
    image, _ = landscape((0.6, 0.75, 0.9), (0.35, 0.3, 0.25))
    image[:, 10:, 60:66] = torch.tensor([0.3, 0.15, 0.1])[:, None, None]
    sky = next(one for one in find_stuff(image, None, Head(rows=6)) if one.name == "sky")   # no mast
    assert sky.mask[20:40, 62:64].max() < 0.3
    assert sky.mask[20:40, :55].min() > 0.7
