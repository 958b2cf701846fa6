"""Weights that ship, in data/detectors and data/repairs: their checksums, and reading them."""
from pathlib import Path

import torch

from core.files import UserError, sha256

FOLDER = Path(__file__).parents[2] / "data/detectors"
DIGESTS = {   # SHA-256
    "nanodet_g.pt": "0916f770eccaa89d2e73831337e85588d1d917e6ac55b64266915f4188608184",
    "blazepose_lite.pt": "1715c68a4cd8566d341f801f83216ef48af51a21e35642b22da95e163d12d6a8",
    "faults.pt": "4a88c6f10d1c573e9d56bc073f13e1c3ab46ea0131439cc3c75ba885a41c8e70",
    "sky.pt": "d5eedbad079f8b919fe9f54f765db80c3157e094099e382523fc7564339992a2",
    "u2net_p.pt": "00acf96249bcc3004be7411987fda6c40459107e5b63b88eeda8293d7770047b",
}
REMEDY = "take the file from the repository, or make it with prepro/convert_detectors.py"


def shipped_file(name: str, remedy: str = REMEDY, folder: Path | None = None) -> Path:
    """Return the path of a file in a folder, by default FOLDER.

    Raises UserError if the file is missing or its checksum differs from that of the file that ships.
    """
    path = (folder or FOLDER) / name
    if (digest := sha256(path, remedy)) != DIGESTS[name]:
        raise UserError(f"{path}: has the SHA-256 {digest[:12]}..., not {DIGESTS[name][:12]}...; {remedy}")
    return path


def read_shipped(name: str, remedy: str = REMEDY, folder: Path | None = None) -> dict[str, torch.Tensor]:
    """Return the weights of a file as float32 tensors by name. Arguments and errors are those of `shipped_file`."""
    path = shipped_file(name, remedy, folder)
    return {key: value.float() for key, value in torch.load(path, weights_only=True).items()}
