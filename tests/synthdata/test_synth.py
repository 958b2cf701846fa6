"""Synthetic samples: replayed from the record, from photos of their phase."""
import numpy as np
import pytest

from core.datasets.annotations import PHASES
from core.synthesis import synth
from core.synthesis.photos import Photo


@pytest.fixture()
def photos(photo):
    return [Photo(phase, phase, lambda seed=seed: photo(120, 160, seed), "me", "CC0", "here")
            for seed, phase in enumerate(PHASES)]


def test_record_replays_to_the_same_pixels(photos):
    for index, kind in enumerate(synth.KINDS):
        entry, source, target = synth.make_sample(photos, 3, 64, 0, index, kind)
        pictures = synth.replay(entry, photos)
        assert np.array_equal(pictures[0], source)
        assert np.array_equal(pictures[-1], target)
        assert len(pictures) == 1 + len(entry["plan"]["steps"])


def test_samples_depend_on_seed_and_index_alone(photos):
    first, *pictures = synth.make_sample(photos, 0, 64, 1, 5, "global")
    again, *same = synth.make_sample(photos, 0, 64, 1, 5, "global")
    assert first == again
    assert all(map(np.array_equal, pictures, same))
    assert synth.make_sample(photos, 1, 64, 1, 5, "global")[0]["crop"] != first["crop"]
    assert np.array_equal(synth.make_sample(photos, 0, 64, 0, 5, "compound")[1], pictures[0])  # one input per index


def test_phases_follow_the_cycle(photos):
    phases = [synth.pick_photo(photos, 0, index).phase for index in range(20)]
    assert [phases.count(phase) for phase in PHASES] == [14, 2, 4]
    assert tuple(phases[:10]) == synth.PHASE_CYCLE


def test_crop_takes_the_box_and_mirrors(photo):
    pixels = photo(50, 60)
    part = synth.crop(pixels, [5, 10, 40], False, 40)
    assert np.array_equal(part, pixels[5:45, 10:50])
    assert np.array_equal(synth.crop(pixels, [5, 10, 40], True, 40), part[:, ::-1])
