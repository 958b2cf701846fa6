"""Panoptic truth in COCO's format: exact masks, canonical names, crowds, shrinking, bad files."""
import json

import numpy as np
import pytest
import torch
from PIL import Image
from small_regions import BALLS, BOX, SCENES, SIDE, draw, write_panoptic

from core.datasets.panoptic import UNKNOWN, PanopticSet, canonical
from core.files import UserError


@pytest.fixture()
def root(tmp_path):
    return write_panoptic(tmp_path)


def changed(root, change):
    """Rewrite panoptic.json after `change(content)`."""
    path = root / "panoptic.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return root


def test_photos_are_sorted_and_their_masks_exact(root):
    photos = PanopticSet(root)
    assert [photos.name(index) for index in range(len(photos))] == sorted(SCENES)
    photo = photos[3]
    assert (photo.name, photo.image.shape) == ("three.png", (3, SIDE, SIDE))
    assert [segment.name for segment in photo.segments] == ["sports ball"] * 3 + ["suitcase", "sky", "plants"]
    assert [segment.thing for segment in photo.segments] == [True] * 4 + [False] * 2
    for segment, shape in zip(photo.segments[:3], BALLS, strict=True):
        assert np.array_equal(segment.mask, shape.mask() & ~BOX.mask())   # the box is in front
        assert (segment.source, segment.score, segment.mask.dtype) == ("truth", 1.0, np.float32)
    assert np.array_equal(sum(segment.mask for segment in photo.segments), np.ones((SIDE, SIDE)))
    assert photos.things == ["sports ball", "suitcase"]


def test_stuff_of_one_name_is_one_segment_and_crowds_are_apart(root):
    def change(content):
        rows = {row["file_name"]: row["segments_info"] for row in content["annotations"]}
        rows["empty.png"][0]["category_id"] = 4   # the sky is grass, too
        rows["three.png"][2]["iscrowd"] = 1
    photos = PanopticSet(changed(root, change))
    plants, = photos[1].segments
    assert plants.name == "plants" and plants.share == 1
    assert [crowd.name for crowd in photos[3].crowds] == ["sports ball"]
    assert len(photos[3].segments) == 5


def test_large_photos_are_shrunk_with_their_masks(root):
    photo = PanopticSet(root, side=48)[3]
    assert photo.image.shape == (3, 48, 48)
    assert set(np.unique(photo.segments[0].mask)) == {0, 1}
    whole = PanopticSet(root)[3]
    for small, segment in zip(photo.segments, whole.segments, strict=True):
        assert small.share == pytest.approx(segment.share, abs=0.01)


@pytest.mark.parametrize(("name", "short"), [
    ("sky-other-merged", "sky"), ("tree-merged", "plants"), ("sea", "water"), ("wall-brick", "wall"),
    ("window-blind", "curtain"), ("window-other", "window"), ("floor-wood", "floor"), ("mirror-stuff", "mirror"),
    ("building-other-merged", "building"), ("road", "road"), ("table-merged", "dining table")])
def test_stuff_has_the_names_of_places(name, short):
    assert canonical(name) == short


def resized(root):
    Image.fromarray(draw(())[0][:, :50]).save(root / "images/empty.png")


@pytest.mark.parametrize(("change", "words"), [
    (lambda root: changed(root, lambda content: content.pop("categories")), ("panoptic.json: not in COCO's",)),
    (lambda root: (root / "panoptic.json").write_text("[]"), ("panoptic.json: not in COCO's",)),
    (lambda root: (root / "panoptic.json").unlink(), ("panoptic.json: no such file",)),
    (lambda root: changed(root, lambda content: content["categories"].pop()), ("category_id", "correct it")),
    (lambda root: (root / "panoptic/empty.png").write_bytes(b"no"), ("empty.png: cannot be read as a PNG",)),
    (lambda root: (root / "images/empty.png").unlink(), ("images/empty.png",)),
    (resized, ("panoptic/empty.png: has 96 x 96 pixels, the photo 50 x 96",))])
def test_a_bad_file_is_named(root, change, words):
    changed(root, lambda content: next(row for row in content["annotations"] if row["file_name"] == "empty.png")[
        "segments_info"][0].update(category_id=5))
    change(root)
    with pytest.raises(UserError) as caught:
        PanopticSet(root)[1]
    assert all(word in str(caught.value) for word in words)


def test_labels_are_the_classes_of_the_stuff_head(root):
    photos = PanopticSet(root)
    image, labels = photos.labels(0, ("grass", "sky"))
    photo = photos[0]
    assert torch.equal(image, photo.image)
    masks = {segment.name: segment.mask > 0 for segment in photo.segments}
    assert (labels[masks["sky"]] == 2).all() and (labels[masks["plants"]] == 1).all()
    assert set(np.unique(labels)) <= {0, 1, 2, UNKNOWN}
    assert (PanopticSet(root).labels(0, ("water",))[1] != 1).all()


@pytest.mark.parametrize(("name", "label"), [("tree-merged", 1), ("flower", UNKNOWN), ("mountain-merged", 0)])
def test_stuff_that_may_be_a_class_or_not_has_no_label(name, label, root):
    path = root / "panoptic.json"
    path.write_text(path.read_text().replace("grass-merged", name))
    labels = PanopticSet(root).labels(0, ("trees",))[1]
    assert labels[-1, 0] == label
