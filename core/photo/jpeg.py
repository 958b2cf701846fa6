"""JPEG: pixels straight to and from arrays; Pillow's images would copy them, which takes as long as decoding.

Pillow reads and writes everything but the pixels. imagecodecs, which has the same library of the JPEG group, gives the
same pixels and the same bytes.
"""
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.files import UserError

_MAX_SCANS = 500   # scans of a JPEG: each takes a pass over the whole picture; cameras and editors write about 10

# A marker that begins a segment. 0xff 0x00 is a data byte of 255 in a scan; markers 1 and 0xd0 to 0xd8 have no segment.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
_SCAN, _END = b"\xda", b"\xd9"


def is_whole(path: Path, data: bytes) -> bool:
    """Return whether a JPEG has an end.

    Raises UserError for a progressive JPEG of hundreds of scans, which would take minutes to decode.
    """
    scans, place = 0, 2
    while marker := _MARKER.search(data, place):
        if marker[1] == _END:
            return True
        scans += marker[1] == _SCAN
        if scans > _MAX_SCANS:
            raise UserError(f"{path}: a progressive JPEG of more than {_MAX_SCANS} scans is not read; save it again")
        place = _after(data, marker)
    return False


def _after(data, marker):
    """Return the place after the segment of a marker."""
    return marker.end() + int.from_bytes(data[marker.end():marker.end() + 2])


def decode(data: bytes) -> np.ndarray:
    """Return the samples (H, W) or (H, W, 3) uint8 of a whole grey or RGB JPEG; broken data raises RuntimeError."""
    import imagecodecs
    return imagecodecs.jpeg8_decode(data)


def encode(samples: np.ndarray, quality: int, subsampling: str, **metadata: Any) -> bytes:
    """Return the bytes that Pillow's `save` gives for samples (H, W, 3) uint8 with these options."""
    import imagecodecs
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "JPEG", **metadata)
    described = file.getvalue()
    coded = imagecodecs.jpeg8_encode(np.ascontiguousarray(samples), quality, subsampling=subsampling.replace(":", ""))
    return described[:_tables(described)] + coded[_tables(coded):]


def _tables(data):
    """Return the place of the first segment that is no metadata: neither application data nor a comment."""
    place = 2
    while 0xe0 <= data[place + 1] <= 0xef or data[place + 1] == 0xfe:
        place = _after(data, _MARKER.match(data, place))
    return place
