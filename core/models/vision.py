"""Visual encoders: a thumbnail to 512 features.

`photometric` and `photometric_lite0` join a CNN to a photometric descriptor. `small` and `efficientnet_lite0` end in a
ReLU whose units die in the first iterations, so planners that were trained with these two do not see the photo; both
are kept for old checkpoints.
"""
import torch
from torch import nn

from core.files import UserError
from core.models.descriptor import DESCRIPTOR, describe
from core.pretrained import efficientnet_lite0

FEATURES = 512
DESCRIBED = 128                             # how many of the features come from the descriptor
BLIND = ("small", "efficientnet_lite0")     # encoders whose last units die


def resnet18():
    """Return an untrained ResNet-18 (He et al. 2016) without its classifier, in the faster channels-last layout."""
    from torchvision.models import resnet18 as build
    network = build(weights=None)
    network.fc = nn.Identity()
    return network.to(memory_format=torch.channels_last)


def has_bf16():
    """Return whether this processor computes convolutions in bfloat16."""
    supported = "_is_mkldnn_bf16_supported"   # PyTorch has no public name for this check
    return hasattr(torch.ops.mkldnn, supported) and getattr(torch.ops.mkldnn, supported)()


class QuickResNet(nn.Module):
    """A trained ResNet-18 for planning on a CPU: batch norm folded into the convolutions, in bfloat16.

    The copy is three times as fast as the trained network; its features differ by a few per cent of their mean.
    """

    def __init__(self, network):
        super().__init__()
        from torch.fx.experimental.optimization import fuse
        from torch.utils.mkldnn import to_mkldnn
        fused = fuse(network.eval()).to(memory_format=torch.contiguous_format)   # a copy: `network` does not change
        self.network = to_mkldnn(fused, torch.bfloat16)

    def forward(self, image):
        return self.network(image.to_mkldnn(torch.bfloat16)).to_dense(torch.float32)


class SmallCNN(nn.Module):
    """A few strided convolutions on the thumbnail at a quarter of its side; a hundredth of ResNet-18's computation.

    Group norm makes the features of a picture independent of its batch. The maps are pooled to mean and standard
    deviation, because an edit changes the statistics of a picture rather than its content. Returns (B, 198).
    """

    size = 2 * (96 + 3)

    def __init__(self, widths=(24, 48, 96)):
        super().__init__()
        layers, before = [], 3
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.GroupNorm(4, width), nn.ReLU()]
            before = width
        self.layers = nn.Sequential(*layers)

    def forward(self, image):
        image = nn.functional.avg_pool2d(image, 4)
        maps = (image, self.layers(image))
        pooled = [statistic for m in maps for statistic in (m.mean((2, 3)), m.std((2, 3), correction=0))]
        return torch.cat(pooled, 1)


class SmallEncoder(SmallCNN):
    """The CNN of old checkpoints. The units of its last ReLU die, so planners do not see the photo; see `BLIND`."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(self.size, FEATURES)

    def forward(self, image):
        return self.out(super().forward(image)).relu()


class Lite0CNN(nn.Module):
    """Frozen EfficientNet-Lite0 with ImageNet weights, pooled to (B, 1280); its input is (255 x - 127) / 128."""

    size = 1280

    def __init__(self):
        super().__init__()
        self.network = efficientnet_lite0("--vis_encoder photometric_lite0")

    def train(self, mode=True):
        """Keep the frozen network in eval mode, so that its batch norms use the statistics of ImageNet."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, image):
        with torch.no_grad():
            return self.network.extract_features((255 * image - 127) / 128).mean((2, 3))


class EfficientNetLite0(Lite0CNN):
    """The frozen CNN of old checkpoints with a trained projection, in whose ReLU all units die (see `BLIND`)."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(self.size, FEATURES)

    def forward(self, image):
        return self.out(super().forward(image)).relu()


class Photometric(nn.Module):
    """A CNN and a photometric descriptor, each projected and normalised, without a final ReLU whose units could die."""

    def __init__(self, cnn):
        super().__init__()
        self.cnn = cnn
        self.project = nn.Sequential(nn.Linear(cnn.size, FEATURES - DESCRIBED), nn.LayerNorm(FEATURES - DESCRIBED))
        self.describe = nn.Sequential(nn.Linear(DESCRIPTOR, DESCRIBED), nn.LayerNorm(DESCRIBED), nn.GELU(),
                                      nn.Linear(DESCRIBED, DESCRIBED), nn.LayerNorm(DESCRIBED))

    def units(self, image):
        """Return the features (B, 384) that come from the CNN."""
        return self.project(self.cnn(image))

    def forward(self, image):
        return torch.cat((self.units(image), self.describe(describe(image))), 1)


ENCODERS = {
    "resnet18": resnet18,
    "photometric": lambda: Photometric(SmallCNN()),
    "photometric_lite0": lambda: Photometric(Lite0CNN()),
    "efficientnet_lite0": EfficientNetLite0,
    "small": SmallEncoder,
}


def make_encoder(name):
    """Return a network (B, 3, H, W) in [0, 1] -> (B, 512). Raises UserError for an unknown name."""
    if name not in ENCODERS:
        raise UserError(f"--vis_encoder {name!r} is unknown; choose one of {', '.join(ENCODERS)}")
    return ENCODERS[name]()


def blindness(name):
    """Return a warning if the encoder `name` does not see the photo, else None."""
    if name in BLIND:
        return (f"the visual encoder {name!r} does not see the photo, because its last units die in training; train "
                f"with --vis_encoder photometric")
    return None


def cnn_units(encoder, image):
    """Return the features (B, U) of images (B, 3, H, W) that come from the encoder's CNN, not from the descriptor."""
    return encoder.units(image) if isinstance(encoder, Photometric) else encoder(image)


@torch.no_grad()
def varying_share(encoder, images):
    """Return the share in [0, 1] of the CNN's units that vary over `images` (B, 3, H, W); 0 is a blind encoder.

    A unit varies if its standard deviation over the batch exceeds a thousandth of the mean magnitude of all units.
    """
    units = cnn_units(encoder, images)
    return (units.std(0) > 1e-3 * units.abs().mean().clamp(min=1e-6)).float().mean().item()
