"""The finder: words to a region through rules and detectors, and refusals."""
import pytest
import torch
from small_regions import HORIZON, SCENES, SIDE, draw

from core.finding import finder as module
from core.finding.finder import LEAST_SIDE, Finder, NotFound, finder_of, mask_for
from core.finding.things import Detection


@pytest.fixture()
def scene():
    """Return a drawn photo (3, SIDE, SIDE) of a sky above the ground."""
    photo, _, _ = draw(SCENES["empty.png"], noise=3)
    return torch.from_numpy(photo).permute(2, 0, 1) / 255


def test_the_sky_and_the_rest_of_the_photo(scene):
    finder = Finder(scene)
    sky, rest = finder.find("the sky"), finder.find("everything except the sky")
    assert sky.share == pytest.approx(HORIZON / SIDE, abs=0.05)
    assert (sky.mask + rest.mask).mean() == pytest.approx(1, abs=0.01)
    assert (sky.words, sky.source) == ("the sky", "sky head")


@pytest.mark.parametrize(("words", "least", "most"), [("the left half", 0.4, 0.6), ("the dark parts", 0.1, 0.9),
                                                      ("anything blue", 0.2, 0.6)])
def test_regions_by_rule(words, least, most, scene):
    assert least < Finder(scene).find(words).share < most


@pytest.mark.parametrize("words", ["the zebra", "the flurbish", "", "her earrings", "the purples"])
def test_words_without_a_region_are_one_sentence(words, scene):
    with pytest.raises(NotFound) as missing:
        Finder(scene).find(words)
    assert missing.value.code == 3
    assert str(missing.value).isprintable() and len(str(missing.value)) > 10


def test_each_detector_runs_once_and_only_if_it_is_needed(scene, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "detect", lambda image: calls.append("things") or [])
    monkeypatch.setattr(module, "find_stuff", lambda image: calls.append("stuff") or [])
    finder = Finder(scene)
    finder.find("the left half")
    assert calls == []
    for _ in range(2):
        with pytest.raises(NotFound):
            finder.find("the dog")
    assert calls == ["things"]


def test_a_room_has_no_sky(scene, monkeypatch):
    monkeypatch.setattr(module, "detect", lambda image: [Detection("bed", 0.9, (0, 50, 90, 90))])
    with pytest.raises(NotFound):
        Finder(scene).find("the sky")


def test_photos_keep_their_finder(scene):
    assert finder_of(scene) is finder_of(scene.clone())
    assert finder_of(scene) is not finder_of(1 - scene)


def test_a_tiny_photo_has_no_regions():
    finder = Finder(torch.zeros(3, LEAST_SIDE - 1, 200))
    assert finder.segments() == []
    with pytest.raises(NotFound, match="this one has 200x15"):
        finder.find("the left half")


def test_a_mask_follows_the_edge_of_the_photo(scene):
    large = torch.nn.functional.interpolate(scene[None], scale_factor=4, mode="bilinear")[0]
    mask = mask_for(Finder(scene).find("the sky"), large)
    assert mask.size == (4 * SIDE, 4 * SIDE)
    assert mask.feather > 0
    inside = mask.array()
    assert inside[:4 * HORIZON - 12].min() == 1
    assert inside[4 * HORIZON + 12:].max() == 0
