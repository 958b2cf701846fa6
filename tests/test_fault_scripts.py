"""The script that trains the fault network, run as a user runs it, on two drawn photos."""
import numpy as np
import pytest
import torch
from PIL import Image

from core.files import read_tensors
from core.models.faults import FaultNetwork

TRAIN = "core/train_faults.py"
FLAGS = ("--out", "faults.pt", "--num_iters", 4, "--batch_size", 4, "--crops", 2)


@pytest.fixture()
def photos(tmp_path, monkeypatch):
    """Return a folder of pictures with names of prepro/gen_sky.py; its parent becomes the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("photo_0000_00", "photo_0000_10", "view_00_0", "pasted_000"):
        Image.fromarray(rng.integers(0, 256, (30, 50, 3), np.uint8)).save(folder / f"{name}.jpg")
    return folder


def test_a_network_is_trained_and_the_same_seed_gives_the_same_weights(photos, run_well):
    result = run_well(TRAIN, "--photos", photos, *FLAGS)
    assert "6 photos, 12 crops" in result.out   # one photo, one view and four bundled ones; no copy, no montage
    first = read_tensors("faults.pt")
    network = FaultNetwork()
    network.load_state_dict(first)
    assert network(torch.rand(2, 3, 20, 30)).isfinite().all()
    run_well(TRAIN, "--photos", photos, *FLAGS, "--overwrite")
    assert all(torch.equal(value, first[name]) for name, value in read_tensors("faults.pt").items())


def test_a_folder_without_photos_and_a_network_that_exists_are_refused(photos, run_script):
    result = run_script(TRAIN, "--photos", photos.parent, *FLAGS)
    assert (result.code, "has no photos; make them with prepro/gen_sky.py" in result.err) == (2, True)
    (photos.parent / "faults.pt").write_bytes(b"mine")
    result = run_script(TRAIN, "--photos", photos, *FLAGS)
    assert (result.code, (photos.parent / "faults.pt").read_bytes()) == (2, b"mine")
