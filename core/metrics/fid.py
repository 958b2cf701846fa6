"""Fréchet distance between two sets of images, under the name of the network whose features it compares.

The figure is called FID only on the published Inception-v3 weights. Other weights and other networks are named in
brackets: their figures also rank methods, but on another scale.
"""
from urllib.error import URLError

import torch
import torch.nn.functional as F

from core.files import FOREIGN, UserError, read_tensors
from core.pretrained import Weights, cache_folder, efficientnet_lite0, find_weights

PUBLISHED_URL = ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                 "pt_inception-2015-12-05-6726825d.pth")
PUBLISHED_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
# One file, published under two names.
PUBLISHED_NAMES = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")
LITE0 = "efficientnet-lite0"


class FeatureExtractor:
    """A callable from images to features for `FrechetStatistics`, with the `name` under which a figure is reported."""

    def __init__(self, name, network, device="cpu"):
        self.name, self.device = name, torch.device(device)
        self.network = network.to(self.device).eval().requires_grad_(False)

    @torch.inference_mode()
    def __call__(self, images):
        """Return features (B, D), float32, of images (B, 3, H, W): uint8, or float in [0, 1].

        Floats are rounded to 8 bits first, so the comparison uses the pictures as they would be saved.
        """
        if images.is_floating_point():
            images = images.clamp(0, 1).mul(255).round().to(torch.uint8)
        return self.network(images.to(self.device))


def load_features(weights=None, device="cpu"):
    """Open the network for the Fréchet distance.

    Args:
        weights: a file with the Inception-v3 weights of FID; "url" downloads the published ones into torch hub's
            cache; None takes the weights in that cache, or EfficientNet-Lite0 if the cache has none.
        device: where the features are computed.

    Returns: a FeatureExtractor named "FID" (published weights), "FID(<file name>)" (other Inception weights) or
    "FID(efficientnet-lite0)". Raises UserError where the weights are missing, broken or of another network.
    """
    found = find_weights(None if weights == "url" else weights, PUBLISHED_NAMES, PUBLISHED_SHA256,
                         "give the file itself by --fid_weights")
    if found is None and weights == "url":
        found = Weights(_download(cache_folder() / PUBLISHED_NAMES[0]), published=True)
    if found is None:
        return FeatureExtractor(f"FID({LITE0})", _Lite0(), device)
    return FeatureExtractor(found.name("FID"), _Inception(found.path), device)


class FrechetStatistics:
    """Running mean and covariance of the features of a set of images; memory does not grow with the set."""

    def __init__(self, extractor):
        self.extractor, self.count = extractor, 0
        self.mean = self.scatter = None  # (D,) and (D, D), float64: scatter / (count - 1) is the covariance

    def update(self, images):
        """Add images (B, 3, H, W), uint8 or float in [0, 1], by the merge of two sets (Chan et al. 1979)."""
        features = self.extractor(images).double().cpu()
        number = len(features)
        if not number:
            return
        if self.mean is None:
            width = features.shape[1]
            self.mean, self.scatter = features.new_zeros(width), features.new_zeros(width, width)
        mean, total = features.mean(0), self.count + number
        shift = (mean - self.mean)[None] * (self.count * number / total) ** 0.5
        rows = torch.cat((features - mean, shift))
        self.scatter.addmm_(rows.T, rows)
        self.mean += (mean - self.mean) * (number / total)
        self.count = total

    @property
    def undefined(self):
        """The reason, in words, why no distance is defined yet; None if the distance is defined."""
        return None if self.count >= 2 else f"needs at least 2 images, has {self.count}"


def frechet_distance(a, b):
    """Return |mean_a - mean_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of two FrechetStatistics, >= 0.

    Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule". Returns None if either set is
    `undefined`. Raises ValueError if the two sets were measured with different networks.
    """
    if a.extractor.name != b.extractor.name:
        raise ValueError(f"features of {a.extractor.name} and of {b.extractor.name} cannot be compared")
    if a.undefined or b.undefined:
        return None
    covariance_a, covariance_b = (s.scatter / (s.count - 1) for s in (a, b))
    # C_a C_b has the eigenvalues of R C_b R with R = C_a^(1/2), which is symmetric: no complex square root is needed,
    # and few images (a singular covariance) do no harm.
    values, vectors = torch.linalg.eigh(covariance_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ covariance_b @ root).clamp_min(0).sqrt().sum()
    distance = (a.mean - b.mean).square().sum() + covariance_a.trace() + covariance_b.trace() - 2 * cross
    return max(distance.item(), 0.0)


class _Inception(torch.nn.Module):
    """The Inception-v3 of FID, 2048 features; network and resizing to 299 px as in TensorFlow are torch-fidelity's."""

    def __init__(self, path):
        super().__init__()
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        try:
            read_tensors(path)   # the library itself would run pickled code
            self.network = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(path))
        except OSError as error:
            raise UserError(f"{path}: FID weights cannot be read ({error.strerror}); give the file itself") from error
        except FOREIGN as error:
            raise UserError(f"{path}: not the Inception-v3 weights of FID; put {PUBLISHED_NAMES[0]} in its place, "
                            "or do without it") from error

    def forward(self, images):
        return self.network(images)[0]


class _Lite0(torch.nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, 1280 features, at 224 px."""

    def __init__(self):
        super().__init__()
        self.network = efficientnet_lite0()

    def forward(self, images):
        images = F.interpolate((images.float() - 127) / 128, (224, 224), mode="bilinear", antialias=True)
        return self.network.extract_features(images).mean((2, 3))


def _download(path):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(PUBLISHED_URL, str(path), hash_prefix=PUBLISHED_SHA256)
    except (URLError, TimeoutError, ConnectionError, RuntimeError) as error:  # RuntimeError: wrong hash
        raise UserError(f"--fid_weights url: {PUBLISHED_URL} could not be downloaded ({error}); fetch it by hand and "
                        "give the file, or leave the flag out") from error
    return path
