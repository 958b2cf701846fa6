"""prepro/gen_proposals.py: each source, GIER's format, resuming, and photos that cannot be used."""
import json

import numpy as np
import pytest
from PIL import Image
from small_gier import pair, write_gier
from small_regions import SCENES, write_panoptic

import core.finding.proposals as proposals
from core.datasets import GIERPairs, WordVocab
from core.datasets.vocab import SPECIAL
from core.files import read_json
from core.regions.segments import Segment

SCRIPT = "prepro/gen_proposals.py"


@pytest.fixture()
def scenes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_panoptic(tmp_path / "scenes")


def made(folder="out"):
    return read_json(f"{folder}/proposals.json")["photos"]


def test_true_segments_are_written_and_a_run_goes_on(succeed, scenes, contents):
    flags = ("--photos", "scenes/images", "--from", "panoptic", "--segments", "scenes", "--out", "out")
    succeed(*flags, "--limit", 2)
    assert len(made()) == 2
    out = succeed(*flags)
    assert f"segments of {len(SCENES)} photos by --from panoptic" in out
    names = [row["region"] for row in read_json("out/masks/three_mask.json")]
    assert sorted(names) == ["plants", "sky", "sports ball", "sports ball", "sports ball", "suitcase"]
    box = next(row["box"] for row in made()["three.png"]["segments"] if row["name"] == "suitcase")
    assert box == [69, 73, 19, 19]
    before = contents("out")
    succeed(*flags)
    assert contents("out") == before


def test_superpixels_and_detections_need_no_folder(succeed, scenes, monkeypatch):
    monkeypatch.setattr(proposals, "Finder", lambda image: type("Fake", (), {
        "things": lambda self: [Segment("dog", np.eye(96, dtype=np.float32), 0.9, "detector", True)],
        "stuff": [Segment("sky", np.ones((96, 96), np.float32), 0.6)]})())
    for kind in ("slic", "detector"):
        succeed("--photos", "scenes/images", "--from", kind, "--out", kind, "--limit", 1)
    assert len(made("slic")["alone.png"]["segments"]) > 5
    assert [row["name"] for row in made("detector")["alone.png"]["segments"]] == ["dog", "sky"]


def test_gier_reads_the_masks_and_masks_are_checked(succeed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    half = np.zeros((20, 30))
    half[:10] = 1
    pairs = [pair(0, "darker sky", brightness=[1]), pair(1, "it", hue=None)]
    root = write_gier(tmp_path / "data/GIER", {"train": pairs},
                      lambda entry, side: np.zeros((20, 30, 3), np.uint8), masks=[1 - half, half])
    (root / "masks/p1_p1_mask.json").write_text(json.dumps([{"size": [20, 20], "counts": "`<"}]))
    out = succeed("--from", "masks", "--segments", root / "masks", "--out", "copy")
    assert "p1_p1_mask.json: not a list of masks" in out or "p1_p1_mask.json: has masks of" in out
    assert "1 of 2 photos are left out" in out
    (root / "masks").rename(root / "published")
    (tmp_path / "copy/masks").rename(root / "masks")
    samples = GIERPairs(root, "train", 3, WordVocab(SPECIAL), data_mode="full", size=None)
    assert (samples.masks(0)["brightness"].array() == half).all()


def test_upsnets_files_are_found_by_the_name_of_the_photo(succeed, scenes):
    (folder := scenes / "pan").mkdir()
    found = np.zeros((96, 96, 2), np.uint8)
    found[:48] = 53, 1
    np.save(folder / "alone.npy", found)
    Image.fromarray(np.dstack((found, found[..., :1]))).save(folder / "pair.png")
    out = succeed("--photos", "scenes/images", "--from", "upsnet", "--segments", folder, "--out", "out")
    assert "pan/three.npy: no such file (nor .png); run UPSNet on the photo" in out
    assert made()["alone.png"]["segments"] == made()["pair.png"]["segments"]
    assert [row["name"] for row in made()["alone.png"]["segments"]] == ["banner", "person"]


@pytest.mark.parametrize(("flags", "words"), [
    (("--from", "panoptic"), "--from panoptic: needs --segments"),
    (("--from", "slic", "--segments", "scenes"), "--from slic: takes no --segments"),
    (("--from", "upsnet", "--segments", "nowhere"), "nowhere: no such folder"),
    (("--from", "slic", "--photos", "nowhere"), "nowhere: holds no photo"),
    (("--from", "slic", "--out", "other"), "masks: holds masks that this script did not make"),
    (("--from", "slic", "--out", "begun"), "proposals.json: was made otherwise"),
    (("--from", "upsnet", "--segments", "scenes"), "out: no photo has segments; nothing was made")])
def test_a_mistake_gets_one_sentence(flags, words, refuse, scenes):
    for name, text in (("other/masks/a_mask.json", "[]"), ("begun/proposals.json", '{"from": "masks", "photos": {}}')):
        path = scenes.parent / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    refuse("--photos", "scenes/images", "--out", "out", *flags, words=[words])
