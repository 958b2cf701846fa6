"""Helper that writes a small RAW photo."""
import numpy as np
import tifffile

SRGB_FROM_XYZ = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)


def write_dng(path, red, green, blue, orientation=1):
    """Write an uncompressed RGGB mosaic (H, W) of a camera whose colours are linear sRGB."""
    y, x = np.indices(red.shape)
    mosaic = np.where((y % 2 == 0) & (x % 2 == 0), red, np.where((y % 2 == 1) & (x % 2 == 1), blue, green))
    matrix = tuple(number for value in SRGB_FROM_XYZ for number in (round(value * 10000), 10000))
    samples = (mosaic * 60000).astype(np.uint16)
    tifffile.imwrite(path, samples, photometric=32803, metadata=None, software=False, extratags=[
        (50706, "B", 4, (1, 4, 0, 0), True), (50708, "s", 0, "LDIE Test", True), (271, "s", 0, "LDIE", True),
        (272, "s", 0, "Test", True), (274, "H", 1, orientation, True), (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, (0, 1, 1, 2), True), (50717, "I", 1, 60000, True), (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True), (50778, "H", 1, 21, True)])
