"""Presets: Camera Raw's `.xmp` and RawTherapee's `.pp3`, and our models of the two programs."""
import uuid
from xml.etree import ElementTree

import torch

from core.exports.controls import Program
from core.files import write_text
from core.operators.functions import per_sample

_CRS, _RDF, _X = ("http://ns.adobe.com/camera-raw-settings/1.0/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
                  "adobe:ns:meta/")
_XML = "http://www.w3.org/XML/1998/namespace"
# Linear sRGB (D65) to linear ProPhoto RGB (D50), computed from the primaries of both with Bradford's adaptation.
_TO_PROPHOTO = ((0.529277, 0.330155, 0.140569), (0.098366, 0.873471, 0.028163), (0.016875, 0.117659, 0.865465))


def _prophoto(image, matrix):
    """Change the primaries of sRGB-encoded pictures by a (3, 3) matrix on their linear values."""
    from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
    return linear_rgb_to_rgb(torch.einsum("ij,bjhw->bihw", matrix.to(image), rgb_to_linear_rgb(image)).clamp(0, 1))


def _linear_hsv_saturation(image, share):
    """Apply RawTherapee's Saturation, `share` in [-1, 1], to the saturation s in HSV of linear values.

    A negative share gives s (1 + share); a positive share interpolates from s to 1 - (1 - s)^4.
    """
    from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
    linear, share = rgb_to_linear_rgb(image), per_sample(share, image)
    value = linear.amax(1, keepdim=True)
    saturation = (1 - linear.amin(1, keepdim=True) / value.clamp_min(1e-6)).clamp_min(1e-6)
    wanted = torch.where(share > 0, torch.lerp(saturation, 1 - (1 - saturation)**4, share), saturation * (1 + share))
    return linear_rgb_to_rgb((value - (value - linear) * wanted / saturation).clamp(0, 1))


_MATRIX = torch.tensor(_TO_PROPHOTO, dtype=torch.float64)

# Adobe's programs use ProPhoto primaries, and apply curves to values with the sRGB encoding. The formula of Saturation
# is not published; we assume a factor on CIELAB's chroma. Curves have 256 levels and may have at least 16 points.
CAMERA_RAW = Program("Camera Raw", lambda image: _prophoto(image, _MATRIX),
                     lambda image: _prophoto(image, torch.linalg.inv(_MATRIX)), None,
                     max_points=16, levels=255, max_amount=150)

# The profile sets sRGB as working space, and RawTherapee's RGB curves encode linear values like sRGB. Chromaticity is
# `chroma`, and Saturation is `saturation`. Older versions read 1,024 characters per value, enough for 32 points.
RAW_THERAPEE = Program("RawTherapee", lambda image: image, lambda image: image, _linear_hsv_saturation,
                       max_points=32, levels=4095, max_amount=1000)


def write_xmp(path, controls, title, comment):
    """Write a preset for Lightroom and Camera Raw (process version 5); `comment`, lines, is its description.

    The preset sets the curves, Saturation and, if the plan sharpens, Sharpness; a photo's other settings stay.
    """
    for prefix, uri in (("x", _X), ("rdf", _RDF), ("crs", _CRS)):
        ElementTree.register_namespace(prefix, uri)
    settings = {"ProcessVersion": "11.0", "HasSettings": "True", "ToneCurveName2012": "Custom",
                "Saturation": f"{controls.chroma:+d}" if controls.chroma else "0"}
    if controls.amount:
        settings |= {"Sharpness": str(controls.amount), "SharpenRadius": f"{controls.radius:+.1f}",
                     "SharpenDetail": "25", "SharpenEdgeMasking": "0"}
    supports = ("Color", "Monochrome", "HighDynamicRange", "NormalDynamicRange", "SceneReferred", "OutputReferred")
    lists = {"ToneCurvePV2012": ["0, 0", "255, 255"]}
    for channel, points in zip(("Red", "Green", "Blue"), controls.curves, strict=True):
        lists[f"ToneCurvePV2012{channel}"] = [f"{x:.0f}, {y:.0f}" for x, y in points * 255]
    # The UUID is computed from the settings, so that exporting the same plan again replaces the preset.
    identity = uuid.uuid5(uuid.NAMESPACE_URL, repr((title, settings, lists))).hex.upper()
    attributes = {"PresetType": "Normal", "Cluster": "", "UUID": identity, "SupportsAmount": "False",
                  **{f"Supports{kind}": "True" for kind in supports}, "CameraModelRestriction": "", "Copyright": "",
                  "ContactInfo": "", "Version": "15.0", **settings}
    root = ElementTree.Element(f"{{{_X}}}xmpmeta")
    description = ElementTree.SubElement(
        ElementTree.SubElement(root, f"{{{_RDF}}}RDF"), f"{{{_RDF}}}Description",
        {f"{{{_RDF}}}about": ""} | {f"{{{_CRS}}}{name}": value for name, value in attributes.items()})
    for name, text in (("Name", title), ("Group", "LDIE"), ("Description", "\n".join(comment))):
        _add_list(description, name, "Alt", [text], {f"{{{_XML}}}lang": "x-default"})
    for name, points in lists.items():
        _add_list(description, name, "Seq", points, {})
    ElementTree.indent(root)
    write_text(path, ElementTree.tostring(root, encoding="unicode") + "\n")


def _add_list(parent, name, kind, texts, attributes):
    """Add `texts` as an RDF list of `kind` in an element `name`."""
    items = ElementTree.SubElement(ElementTree.SubElement(parent, f"{{{_CRS}}}{name}"), f"{{{_RDF}}}{kind}")
    for text in texts:
        ElementTree.SubElement(items, f"{{{_RDF}}}li", attributes).text = text


def write_pp3(path, controls, title, comment):
    """Write a partial processing profile for RawTherapee 5.8 and later; `comment` is a list of lines.

    The profile sets only values that the plan needs; applied as a partial profile, it keeps a photo's other settings.
    """
    curves = {f"{letter}Curve": "1;" + "".join(f"{value:.5g};" for value in points.ravel())   # 1: a spline
              for letter, points in zip("rgb", controls.curves, strict=True)}
    groups = {
        "Version": {"AppVersion": "5.8", "Version": 346},
        "Exposure": {"Saturation": controls.saturation},
        "Luminance Curve": {"Enabled": str(controls.chroma != 0).lower(), "Chromaticity": controls.chroma,
                            "AvoidColorShift": "false", "RedAndSkinTonesProtection": 0},
        "RGB Curves": {"Enabled": "true", "LumaMode": "false", **curves},
        "Color Management": {"WorkingProfile": "sRGB"},
    }
    if controls.amount:
        groups["Sharpening"] = {"Enabled": "true", "Contrast": 0, "Method": "usm", "Radius": controls.radius,
                                "Amount": controls.amount, "Threshold": "0;0;2000;2000;", "OnlyEdges": "false",
                                "HalocontrolEnabled": "false"}
    lines = [f"# {line}" for line in (title, *comment)]
    for group, values in groups.items():
        lines += ["", f"[{group}]", *(f"{key}={value}" for key, value in values.items())]
    write_text(path, "\n".join(lines) + "\n")
