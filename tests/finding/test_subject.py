"""The main subject of a photo."""
import numpy as np
import pytest
import torch

from core.finding import subject
from core.finding.subject import find_subject
from core.finding.things import Detection

GROUND = torch.tensor([0.35, 0.5, 0.3])[:, None, None]
RED = torch.tensor([0.9, 0.2, 0.1])[:, None, None]


def picture(x=60, radius=24):
    """Return a picture (3, 96, 128) of a red disc on plain ground, and the mask of the disc."""
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    disc = (columns - x) ** 2 + (rows - 48) ** 2 < radius ** 2
    return torch.where(disc, RED, GROUND), disc.numpy()


def overlap(segment, truth):
    inside = segment.mask > 0.5
    return (inside & truth).sum() / (inside | truth).sum()


def test_a_disc_on_plain_ground_is_the_subject():
    image, truth = picture()
    found = find_subject(image)
    assert found.name == "subject" and found.source == "subject mask" and 0.5 < found.score <= 1
    assert found.mask.shape == (96, 128) and found.mask.dtype == np.float32
    assert overlap(found, truth) > 0.85


@pytest.mark.parametrize("size", [(1, 1), (96, 96), (2, 300)])
def test_nothing_stands_out_in_a_black_picture(size):
    assert find_subject(torch.zeros(3, *size)) is None


@pytest.mark.parametrize("marked", [0.0, 1.0])
def test_nothing_stands_out_where_nothing_or_everything_is_salient_and_no_thing_is_large(monkeypatch, marked):
    monkeypatch.setattr(subject, "saliency", lambda image, side: np.full(tuple(image.shape[1:]), marked, np.float32))
    assert find_subject(picture()[0], []) is None
    assert find_subject(picture()[0], [Detection("apple", 0.9, (0, 0, 10, 10))]) is None


def test_a_large_thing_that_is_not_salient_is_the_subject(monkeypatch):
    monkeypatch.setattr(subject, "saliency", lambda image, side: np.zeros(tuple(image.shape[1:]), np.float32))
    image, truth = picture()
    found = find_subject(image, [Detection("apple", 0.9, (36, 24, 84, 72)), Detection("kite", 0.9, (0, 0, 9, 9))])
    assert overlap(found, truth) > 0.85


def test_the_salient_region_and_the_prominent_thing_are_united(monkeypatch):
    image, truth = picture()
    head = truth & (np.arange(96)[:, None] < 40)
    monkeypatch.setattr(subject, "saliency", lambda image, side: head.astype(np.float32))
    alone, united = find_subject(image, []), find_subject(image, [Detection("apple", 0.9, (36, 24, 84, 72))])
    assert overlap(alone, truth) < 0.5 and overlap(united, truth) > 0.85
