"""How far two pictures are apart for the eye, and on which pixels of a large photo that is measured."""
import numpy as np
import torch

BLOCK = 64               # pixels on a side: few of a block's pixels miss a neighbour
MAX_SAMPLE = 1 << 20     # pixels that are measured


def colour_difference(image, other):
    """Return the CIEDE2000 difference of each pixel, (B, H, W) array, of two batches (B, 3, H, W) in [0, 1]."""
    from skimage.color import deltaE_ciede2000, rgb2lab
    first, second = (rgb2lab(np.moveaxis(picture.numpy(), 1, -1)) for picture in (image, other))
    return deltaE_ciede2000(first, second)


def sample(pixels):
    """Return pictures (B, 3, h, w), float32, to measure on, from pixels (H, W, 3) in [0, 1].

    A photo of at most MAX_SAMPLE pixels is returned whole; of a larger one, square blocks that lie evenly over it:
    whole blocks, so that what looks at neighbours (sharpening) can be measured too.
    """
    height, width = pixels.shape[:2]
    if height * width <= MAX_SAMPLE:
        blocks = pixels[None]
    else:
        along = int(MAX_SAMPLE**0.5) // BLOCK
        tops, lefts = (np.unique(np.linspace(0, max(side - BLOCK, 0), along).astype(int)) for side in (height, width))
        blocks = np.stack([pixels[top:top + BLOCK, left:left + BLOCK] for top in tops for left in lefts])
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(blocks, -1, 1), dtype=np.float32))
