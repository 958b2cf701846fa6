"""The perceived colour difference of two pictures, and the pixels of a large photo on which it is measured."""
import numpy as np
import torch

BLOCK = 64               # pixels per side: few pixels of a block lack a neighbour
MAX_SAMPLE = 1 << 20     # most pixels that are measured


def colour_difference(image, other):
    """Return the CIEDE2000 difference of each pixel, (B, H, W) array, of two batches (B, 3, H, W) in [0, 1]."""
    from skimage.color import deltaE_ciede2000, rgb2lab
    first, second = (rgb2lab(np.moveaxis(picture.numpy(), 1, -1)) for picture in (image, other))
    return deltaE_ciede2000(first, second)


def sample(pixels):
    """Return a sample of a photo for measurements: pictures (B, 3, h, w), float32, from pixels (H, W, 3) in [0, 1].

    A photo of at most MAX_SAMPLE pixels is returned whole. A larger photo gives square, evenly spaced blocks, so that
    operators that use neighbouring pixels (sharpening) can be measured, too.
    """
    height, width = pixels.shape[:2]
    if height * width <= MAX_SAMPLE:
        blocks = pixels[None]
    else:
        along = int(MAX_SAMPLE**0.5) // BLOCK
        tops, lefts = (np.unique(np.linspace(0, max(side - BLOCK, 0), along).astype(int)) for side in (height, width))
        blocks = np.stack([pixels[top:top + BLOCK, left:left + BLOCK] for top in tops for left in lefts])
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(blocks, -1, 1), dtype=np.float32))
