"""Photo files: read and write pixels with their bit depth, EXIF data and colour profile.

    from core.photo import from_tensor, read_photo, write_photo
    photo = read_photo("in.tif")
    edited = execute(plan, photo.tensor())
    notes = write_photo("out.tif", from_tensor(edited), like=photo)
"""
from core.photo.photo import (
    MAX_BYTES,
    MAX_PIXELS,
    RAW_SUFFIXES,
    READ_SUFFIXES,
    Photo,
    check_free,
    from_tensor,
    list_photos,
    shrink,
)
from core.photo.reading import read_photo
from core.photo.writing import SUBSAMPLINGS, WRITE_SUFFIXES, check_output, stored_kind, write_photo

__all__ = ["MAX_BYTES", "MAX_PIXELS", "RAW_SUFFIXES", "READ_SUFFIXES", "SUBSAMPLINGS", "WRITE_SUFFIXES", "Photo",
           "check_free", "check_output", "from_tensor", "list_photos", "read_photo", "shrink",
           "stored_kind", "write_photo"]
