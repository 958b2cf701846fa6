"""prepro/gen_sky.py, run as a user runs it, on small packages that the tests write."""
import base64
import io
import json
import struct
import sys
import types

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from core.datasets.panoptic import UNKNOWN, PanopticSet

SCRIPT = "prepro/gen_sky.py"
HEIGHT, WIDTH, HORIZON = 60, 80, 24
SKY, GROUND = (120, 170, 235), (120, 90, 60)


def picture():
    """Return a photo (HEIGHT, WIDTH, 3) uint8 of a sky above the ground, and the mask of the sky."""
    sky = np.arange(HEIGHT)[:, None] * np.ones(WIDTH) < HORIZON
    return np.uint8(np.where(sky[..., None], SKY, GROUND)), sky


def jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def resource(name, content):
    """Return a resource file of Qt, version 1, with one file in one folder."""
    names = b"".join(struct.pack(">HI", len(part), 0) + part.encode("utf-16-be") for part in ("photos", name))
    tree = (struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHII", 0, 2, 1, 2)
            + struct.pack(">IHHHI", 6 + 2 * len("photos"), 0, 0, 0, 0))
    data = struct.pack(">I", len(content)) + content
    return struct.pack(">4s4I", b"qres", 1, 20, 20 + len(tree), 20 + len(tree) + len(data)) + tree + data + names


def labelled(sky, **row):
    return row | {"size": list(sky.shape),
                  "sky": coco.encode(np.asfortranarray(sky.astype(np.uint8)))["counts"].decode()}


@pytest.fixture()
def packages(tmp_path, monkeypatch):
    """Return a folder with three packages and labels.json: photos with and without a sky, a panorama, a thing."""
    photo, sky = picture()
    folder = tmp_path / "packages"
    for name in ("plain", "panorama", "stamps"):
        (folder / name).mkdir(parents=True)
    (folder / "plain/a.jpg").write_bytes(jpeg(photo))
    (folder / "plain/wall.jpg").write_bytes(jpeg(np.full((HEIGHT, WIDTH, 3), 240, np.uint8)))
    (folder / "plain/photos.rcc").write_bytes(resource("b.jpg", jpeg(photo)))
    (folder / "panorama/p.exr.js").write_text(f"export default 'base64,{base64.b64encode(b'panorama').decode()}'")
    thing = np.full((30, 30, 4), (200, 20, 20, 255), np.uint8)
    Image.fromarray(thing).save(folder / "stamps/thing.png")
    labels = {"photos": [labelled(sky, package="plain", file="a.jpg"), {"package": "plain", "file": "wall.jpg"},
                         labelled(sky, package="plain", file="photos.rcc", member="photos/b.jpg")],
              "panoramas": [labelled(np.arange(256)[:, None] * np.ones(512) < 128, package="panorama",
                                     file="p.exr.js")],
              "stamps": [{"package": "stamps", "file": "thing.png"}]}
    (folder / "labels.json").write_text(json.dumps(labels))
    panorama = np.float32(np.where(np.arange(256)[:, None, None] < 128, (0.2, 0.4, 0.9), (0.1, 0.06, 0.03)))
    panorama = np.broadcast_to(panorama, (256, 512, 3))

    class File:
        def __init__(self, name):
            with open(name, "rb") as file:
                assert file.read() == b"panorama"

        def channels(self):
            return {"RGB": types.SimpleNamespace(pixels=panorama)}

    monkeypatch.setitem(sys.modules, "OpenEXR", types.SimpleNamespace(File=File))
    monkeypatch.chdir(tmp_path)
    return folder


def test_photos_copies_views_and_pasted_things_have_the_sky_of_the_labels(packages, run_well):
    run_well(SCRIPT, "--packages", packages, "--labels", packages / "labels.json", "--out", "sky")
    photos = PanopticSet("sky")
    names = [photos.name(index) for index in range(len(photos))]
    assert len(photos) == 3 * 2 + 8 + 100
    assert names[100:106] == ["photo_0000_00.jpg", "photo_0000_01.jpg", "photo_0000_02.jpg", "photo_0000_10.jpg",
                             "photo_0000_11.jpg", "photo_0000_12.jpg"]
    for name in ("photo_0000_00.jpg", "photo_0000_02.jpg"):   # one file of the package, and one in its resources
        image, labels = photos.labels(names.index(name), ("sky",))
        assert (labels[:HORIZON - 4] == 1).all() and (labels[HORIZON + 4:] == 0).all()
        assert (labels[HORIZON - 2:HORIZON + 2] == UNKNOWN).all()   # the border of the sky is not learned
        assert abs(image[:, 5, 5].numpy() * 255 - SKY).max() < 8
    assert set(np.unique(photos.labels(101, ("sky",))[1])) == {0}   # the wall
    seen = {"view": 0, "pasted": 0}
    for index, name in enumerate(names):
        if name.startswith("photo"):
            continue
        image, labels = photos.labels(index, ("sky",))
        seen[name.split("_")[0]] += 1
        blue = (image[2] > image[0]).numpy()
        assert blue[labels == 1].mean() > 0.98 if (labels == 1).any() else True
        assert blue[labels == 0].mean() < 0.02 if (labels == 0).any() else True
    assert seen == {"view": 8, "pasted": 100}


def test_the_same_seed_gives_the_same_photos(packages, run_well):
    for out in ("one", "two"):
        run_well(SCRIPT, "--packages", packages, "--labels", packages / "labels.json", "--out", out)
    assert all((packages.parent / "two/images" / file.name).read_bytes() == file.read_bytes()
               for file in (packages.parent / "one/images").iterdir())


def test_bad_input_is_one_sentence(packages, run_script, monkeypatch):
    def told(change, words):
        labels = json.loads((packages / "labels.json").read_text())
        change(labels)
        (packages / "changed.json").write_text(json.dumps(labels))
        result = run_script(SCRIPT, "--packages", packages, "--labels", packages / "changed.json", "--out", "sky")
        assert (result.code, result.err.count("error: "), words in result.err) == (2, 1, True), result.err

    told(lambda labels: labels["photos"][0].update(file="none.jpg"), "none.jpg: cannot be read")
    told(lambda labels: labels["photos"][0].update(size=[50, 80]), "a.jpg: has 80 x 60 pixels, its label has 80 x 50")
    told(lambda labels: labels["photos"][2].update(member="photos/c.jpg"), "photos.rcc: cannot be read")
    told(lambda labels: labels["photos"][0].update(member="photos/b.jpg"), "no resource file of Qt")
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    told(lambda labels: None, "pip install OpenEXR")
