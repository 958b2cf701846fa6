"""Convolution blocks that generators and discriminators share; every block maps (B, C, H, W) to (B, C', H', W').

Generators convolve 3 x 3 with ReLU; patch discriminators convolve 4 x 4 with leaky ReLU, as in pix2pix and pix2pixHD.
"""
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2   # of the leaky ReLUs (Radford et al. 2016)


def build_norm(norm, channels):
    """Return the normalisation `norm` (instance, batch or none) of a number of channels."""
    return {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d, "none": nn.Identity}[norm](channels)


def conv_block(before, after, norm, kernel=3):
    """Return the layers of a convolution that keeps the size, with norm and ReLU, as a list."""
    return [nn.Conv2d(before, after, kernel, padding=kernel // 2, padding_mode="replicate", bias=norm == "none"),
            build_norm(norm, after), nn.ReLU()]


def downsampling_block(before, after, norm):
    """Return the layers of a convolution that halves the sides, with norm and ReLU, as a list."""
    return [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=norm == "none"), build_norm(norm, after), nn.ReLU()]


def upsampling_block(before, after, norm):
    """Return the layers of a transposed convolution that doubles the sides, with norm and ReLU, as a list."""
    return [nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1, bias=norm == "none"),
            build_norm(norm, after), nn.ReLU()]


def output_convolution(channels):
    """Return the 7 x 7 convolution from features to the three colour channels."""
    return nn.Conv2d(channels, 3, 7, padding=3, padding_mode="replicate")


class ResidualBlock(nn.Module):
    """x plus two convolutions of x (He et al. 2016), without an activation after the sum (Johnson et al. 2016)."""

    def __init__(self, channels, norm):
        super().__init__()
        self.layers = nn.Sequential(*conv_block(channels, channels, norm), *conv_block(channels, channels, norm)[:-1])

    def forward(self, features):
        """Return features of the same shape (B, C, H, W)."""
        return features + self.layers(features)


def patch_block(before, after, stride, norm):
    """Return a 4 x 4 convolution with norm (instance, batch, spectral or none) and leaky ReLU."""
    layers = [build_norm(norm, after)] if norm in ("instance", "batch") else []
    return nn.Sequential(patch_convolution(before, after, stride, norm), *layers, nn.LeakyReLU(SLOPE))


def patch_convolution(before, after, stride, norm):
    """Return a 4 x 4 convolution; it has no bias where a norm would subtract the bias."""
    convolution = nn.Conv2d(before, after, 4, stride, 1, bias=norm not in ("instance", "batch"))
    return spectral_norm(convolution) if norm == "spectral" else convolution
