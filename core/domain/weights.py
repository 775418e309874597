"""Weights that a site has for every run, in its folder /weights: their names, kinds, places and uses (FLD-6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

PLACE = PurePosixPath("/weights")
"""Where a run finds the folder, read-only."""
HUB, CHECKPOINTS, ANOMALIB = "hub", "hub/checkpoints", "anomalib"
"""Folders in it, laid out as HF_HOME, TORCH_HOME and anomalib's folder of weights are."""
REPOSITORY = "models--"
HUBCONF = "hubconf.py"
CHECKPOINT_SUFFIXES = (".pth", ".pt")
OF_ANOMALIB = frozenset({"efficientad_pretrained_weights", "dsr"})
"""Folders that anomalib itself looks for among its weights."""
IN_THE_IMAGE = frozenset({"tf_efficientnet_lite0", "tf_efficientnet_lite0.in1k", "timm/tf_efficientnet_lite0.in1k"})
"""Names of what the sandbox image brings."""
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,119}"
NAME = re.compile(rf"{_PART}(/{_PART})?")
ONE_NAME = re.compile(_PART)
NAME_RULE = (
    "must have letters, digits, '_', '.', '+' and '-' only, at most 120, and begin with a letter, a digit or '_'"
)
LONGEST_NAME = 241
"""Characters of the longest name: two parts and the slash between them."""


class WeightsKind(StrEnum):
    """Which library finds them, and so where they lie."""

    HUGGINGFACE = "huggingface"
    """A repository in the cache of the Hugging Face hub; timm's `pretrained=True` looks there."""
    CHECKPOINT = "checkpoint"
    """A file among the checkpoints of torch.hub; torchvision's `weights=…` looks there."""
    TORCH_HUB = "torch_hub"
    """A repository of code for `torch.hub.load`."""
    ANOMALIB = "anomalib"
    """A folder that anomalib looks for."""
    PLAIN = "plain"
    """A file or folder that a program opens by its path."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """One thing in the folder. `path` is below PLACE; `size_bytes` is the sum of its files."""

    name: str
    kind: WeightsKind
    path: str
    size_bytes: int

    @property
    def place(self) -> str:
        """Where a run finds it."""
        return str(PLACE / self.path)

    @property
    def use(self) -> str:
        """What a submission writes to use it."""
        last = self.name.rpartition("/")[2]
        if self.kind is WeightsKind.HUGGINGFACE and self.name.startswith("timm/"):
            return f'timm.create_model("{last}", pretrained=True)'
        return {
            WeightsKind.HUGGINGFACE: f'from_pretrained("{self.name}") or snapshot_download("{self.name}")',
            WeightsKind.CHECKPOINT: f'torchvision\'s weights=…, torch.hub.load_state_dict_from_url(".../{last}")',
            WeightsKind.TORCH_HUB: f'torch.hub.load("{self.place}", MODEL, source="local")',
            WeightsKind.ANOMALIB: "anomalib finds it by itself",
            WeightsKind.PLAIN: f'the path "{self.place}"',
        }[self.kind]

    def answers_to(self, asked: str) -> bool:
        """Whether a submission that asks for this name means this: the whole name, or timm's name of the model.

        A suffix of a file, the tag of a timm model and the hash in a checkpoint's name may be left out.
        """
        last = self.name.rpartition("/")[2]
        if self.kind is WeightsKind.HUGGINGFACE:
            return asked in {self.name, last, last.partition(".")[0], PurePosixPath(self.path).name}
        stem = last.rpartition(".")[0] or last
        return asked in {self.name, stem, re.sub(r"-[0-9a-f]{8}$", "", stem)}


def is_there(asked: str, found: Sequence[Weights]) -> bool:
    """Whether the site, or the sandbox image, has weights of this name."""
    return asked in IN_THE_IMAGE or any(one.answers_to(asked) for one in found)


def repository_of(folder: str) -> str | None:
    """The repository of a folder `models--org--name`, as `org/name`; None if its name is not of this form."""
    name = "/".join(folder.removeprefix(REPOSITORY).split("--"))
    return name if folder.startswith(REPOSITORY) and NAME.fullmatch(name) else None


def folder_of(repository: str) -> str:
    """The folder of a repository in the cache of the Hugging Face hub."""
    return REPOSITORY + repository.replace("/", "--")


def place_of(name: str, *, is_file: bool, top: Sequence[str] = ()) -> tuple[WeightsKind, str]:
    """Kind and path of a file or folder that an admin adds; `top`: the names directly in the folder."""
    if is_file and name.lower().endswith(CHECKPOINT_SUFFIXES):
        return WeightsKind.CHECKPOINT, f"{CHECKPOINTS}/{name}"
    if not is_file and repository_of(name):
        return WeightsKind.HUGGINGFACE, f"{HUB}/{name}"
    if not is_file and HUBCONF in top:
        return WeightsKind.TORCH_HUB, f"{HUB}/{name}"
    if not is_file and name in OF_ANOMALIB:
        return WeightsKind.ANOMALIB, f"{ANOMALIB}/{name}"
    return WeightsKind.PLAIN, name
