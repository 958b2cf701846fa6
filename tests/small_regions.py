"""Small drawn scenes with exact regions: a sky, a ground, and coloured discs ("ball") and squares ("box")."""
import json
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE, HORIZON = 96, 40
COLOURS = {"red": (210, 30, 30), "blue": (30, 60, 200), "yellow": (240, 220, 40), "white": (245, 245, 245),
           "black": (12, 12, 12), "green": (20, 120, 40)}
SKY, GROUND = (120, 170, 235), (120, 90, 60)
CATEGORIES = {   # name in the file: (id, whether it is a thing)
    "sports ball": (1, True), "suitcase": (2, True), "sky-other-merged": (3, False), "grass-merged": (4, False),
    "sea": (5, False)}


@dataclass(frozen=True)
class Shape:
    """A disc (class "sports ball") or a square (class "suitcase"): centre and half side in pixels, name of its colour.
    """

    name: str
    x: int
    y: int
    half: int
    colour: str

    def mask(self):
        """Return the shape's pixels, (SIDE, SIDE) bool."""
        y, x = np.mgrid[:SIDE, :SIDE]
        if self.name == "sports ball":
            return (x - self.x) ** 2 + (y - self.y) ** 2 <= self.half ** 2
        return (abs(x - self.x) <= self.half) & (abs(y - self.y) <= self.half)


BALLS = (Shape("sports ball", 14, 60, 9, "red"), Shape("sports ball", 48, 62, 13, "blue"),
         Shape("sports ball", 80, 58, 9, "yellow"))
BOX = Shape("suitcase", 78, 82, 9, "white")
SCENES = {   # name: shapes, later ones in front
    "three.png": (*BALLS, BOX),
    "pair.png": (Shape("sports ball", 22, 64, 12, "red"), Shape("sports ball", 72, 64, 12, "red"),
                 Shape("suitcase", 48, 24, 6, "black")),
    "alone.png": (Shape("sports ball", 46, 62, 26, "green"), Shape("suitcase", 86, 86, 5, "white")),
    "empty.png": (),
}


def draw(shapes, noise=0):
    """Return (photo uint8 (SIDE, SIDE, 3), ids (SIDE, SIDE), segments_info) of a scene.

    Args:
        noise: standard deviation of the grain in 8-bit steps.
    """
    ground = np.arange(SIDE)[:, None] >= HORIZON
    photo = np.where(ground[..., None], GROUND, SKY) * np.ones((SIDE, SIDE, 1))
    ids = np.where(ground, 1000, 70000) * np.ones((SIDE, SIDE), int)   # 70000: all three channels count
    infos = [(70000, "sky-other-merged"), (1000, "grass-merged")]
    for number, shape in enumerate(shapes, 1):
        inside = shape.mask()
        photo[inside], ids[inside] = COLOURS[shape.colour], 256 * number
        infos.append((256 * number, shape.name))
    photo = photo + noise * np.random.default_rng(0).normal(size=photo.shape)
    return np.uint8(np.clip(photo, 0, 255)), ids, [
        {"id": number, "category_id": CATEGORIES[name][0], "iscrowd": 0} for number, name in infos]


def write_panoptic(root, scenes=SCENES, noise=4):
    """Write scenes {name: shapes} as a folder in COCO's panoptic format; return the folder."""
    for folder in ("images", "panoptic"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for index, (name, shapes) in enumerate(scenes.items()):
        photo, ids, infos = draw(shapes, noise)
        Image.fromarray(photo).save(root / "images" / name)
        coded = np.stack((ids % 256, ids // 256 % 256, ids // 65536), 2)
        Image.fromarray(np.uint8(coded)).save(root / "panoptic" / name)
        images.append({"id": index, "file_name": name, "height": SIDE, "width": SIDE})
        annotations.append({"image_id": index, "file_name": name, "segments_info": infos})
    (root / "panoptic.json").write_text(json.dumps({
        "images": images, "annotations": annotations,
        "categories": [{"id": number, "name": name, "isthing": int(thing)}
                       for name, (number, thing) in CATEGORIES.items()]}))
    return root
