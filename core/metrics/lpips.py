"""LPIPS, the learned perceptual distance (Zhang et al. 2018), if the weights of its AlexNet are on this machine.

The linear heads come with the package `lpips`; the AlexNet below them is torchvision's and is never downloaded.
"""
import warnings

import torch

from core.files import FOREIGN, UserError, read_tensors
from core.pretrained import cache_folder, find_weights

BACKBONE = "alexnet-owt-7be5be79.pth"   # torchvision's file name, which ends in the first digits of the SHA-256
DIGITS = "7be5be79"
SMALLEST = 64   # pixels of the short edge: AlexNet's pooling reduces smaller pictures to nothing


class Lpips:
    """The distance of two batches (B, 3, H, W) in [0, 1], 0 for equal ones: (B,), NaN for pictures under 64 px."""

    def __init__(self, name, network):
        self.name, self.network = name, network

    @torch.inference_mode()
    def __call__(self, a, b):
        if min(a.shape[-2:]) < SMALLEST:
            return a.new_full((len(a),), torch.nan)
        return self.network(a, b, normalize=True).flatten()


def load_lpips(weights=None):
    """Open the network of LPIPS.

    Args: `weights`, a file with torchvision's AlexNet, or None for the file in torch hub's cache.

    Returns: (an Lpips, None), or (None, the reason as a sentence) without weights. The Lpips has the name "LPIPS", or
    "LPIPS(<file name>)" with other weights than the published ones. Raises UserError where a given file cannot be used.
    """
    found = find_weights(weights, (BACKBONE,), DIGITS, "give the file of the LPIPS weights itself")
    if found is None:
        return None, (f"LPIPS is not measured: there is no {cache_folder() / BACKBONE}; copy it there, or give "
                      f"--lpips_weights FILE")
    return Lpips(found.name("LPIPS"), _network(found.path)), None


def _network(path):
    """Return the network with its published heads and the backbone from a file."""
    import lpips
    with warnings.catch_warnings():   # lpips calls torchvision by an old interface
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    try:
        saved = read_tensors(path)
        network.net.load_state_dict({   # slice2.3.weight is features.3.weight of the whole AlexNet
            key: saved["features." + key.split(".", 1)[1]] for key in network.net.state_dict()})
    except FOREIGN as error:
        raise UserError(f"{path}: not torchvision's AlexNet weights; give {BACKBONE} by --lpips_weights, or leave the "
                        f"flag out") from error
    return network.eval().requires_grad_(False)
