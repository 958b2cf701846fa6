"""The picture files of a page; a picture is written as soon as it is added."""
import secrets
import shutil
from pathlib import Path

import numpy as np
from dominate import tags
from PIL import Image

from core.files import replacing

LARGE, SMALL = 640, 320  # longest side in pixels: pictures to compare, pictures of steps
QUALITY = 90


class Pictures:
    """JPEGs under `folder`/images/<stamp>/, with a new stamp for each object.

    So an earlier page in the folder keeps its pictures until that page is replaced.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.stamp = secrets.token_hex(4)

    def image(self, name, pixels, alt, side=LARGE):
        """Write `pixels`, uint8 (H, W, 3) or (H, W), at most `side` pixels long; return its <img>."""
        picture = Image.fromarray(pixels)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        source = f"images/{self.stamp}/{name}.jpg"
        with replacing(self.folder / source) as file:
            picture.save(file, "JPEG", quality=QUALITY, subsampling=0)  # full chroma, because edits change colours
        return tags.img(src=source, width=picture.width, height=picture.height, alt=alt, loading="lazy",
                        decoding="async")

    def add(self, name, pixels, alt, side=LARGE):
        """Write a picture as `image` does; return a link to the file that shows the picture."""
        image = self.image(name, pixels, alt, side)
        return tags.a(image, href=image["src"])

    def add_mask(self, name, mask):
        """Write a mask, (H, W) in [0, 1], as a small picture in which the edited part is white."""
        return self.add(name, np.uint8(np.asarray(mask, dtype=float) * 255 + 0.5), "mask: white is edited", SMALL // 2)

    def discard_others(self):
        """Remove the pictures of earlier runs, which no page shows any more."""
        images = self.folder / "images"
        for other in images.iterdir() if images.is_dir() else ():
            if other.is_dir() and other.name != self.stamp:
                shutil.rmtree(other)
