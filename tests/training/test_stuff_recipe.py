"""The training of stuff heads: classes that can be learned, and the least presence of each."""
import pytest
import torch

from core.models.stuff_head import CHANNELS, CLASSES, OTHER, StuffHead
from core.training.stuff import FEWEST, FOLDS, LEAST, Pixels, calibrate, learnable

SIZE = sum(CHANNELS)


def pixels(labels, photos, strength=4.0):
    """Return pixels whose first features tell their labels."""
    labels, photos = torch.tensor(labels), torch.tensor(photos)
    features = torch.zeros(len(labels), SIZE)
    features[torch.arange(len(labels)), labels] = strength
    shares = torch.tensor([1 / int((photos == photo).sum()) for photo in photos])
    return Pixels(features.half(), labels, photos, shares)


def test_classes_that_few_photos_show_become_other():
    sky, grass = CLASSES.index("sky") + 1, CLASSES.index("grass") + 1
    photos = list(range(FEWEST)) * 2
    classes, labels = learnable(pixels([grass] * FEWEST + [sky] + [0] * (FEWEST - 1), photos))
    assert classes == ("grass",)
    assert labels.tolist() == [1] * FEWEST + [0] * FEWEST


def knowing(mask):
    """Return a head that reads the class from the first features, whatever it was trained on."""
    head = StuffHead((OTHER, "sky"))
    torch.nn.init.zeros_(head.linear.weight)
    torch.nn.init.zeros_(head.linear.bias)
    head.linear.weight.data[0, 0] = head.linear.weight.data[1, 1] = 1
    return head.requires_grad_(False)


def test_a_class_without_false_alarms_needs_the_lowest_presence_only():
    data = pixels([0, 1] * 4 + [0] * 4, [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7])
    assert calibrate(data, data.labels, knowing)[1] == pytest.approx(LEAST)


def test_false_alarms_raise_the_least_presence_and_every_photo_is_left_out_once():
    data, seen = pixels([1] * 8, list(range(8))), []
    labels = torch.zeros(8, dtype=torch.long)   # no photo shows the class that the head sees everywhere
    labels[0] = 1
    least = calibrate(data, labels, lambda mask: seen.append(mask) or knowing(mask))
    assert least[1] > 0.9
    assert len(seen) == FOLDS and all(sum(int(not mask[index]) for mask in seen) == 1 for index in range(8))


def test_a_single_photo_has_nothing_to_calibrate_with():
    data = pixels([0, 1], [0, 0])
    assert calibrate(data, data.labels, knowing)[1] == pytest.approx(LEAST)
