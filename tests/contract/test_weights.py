"""The site's weights, on a folder and in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.adapters.files.weights_folder import WeightsFolder
from core.domain.weights import Weights, WeightsKind
from core.ports.weights import WeightsPort
from tests.twins.weights import MemoryWeights

pytestmark = pytest.mark.contract

HELD = (
    Weights(name="nets_main", kind=WeightsKind.TORCH_HUB, path="hub/nets_main", size_bytes=3),
    Weights(name="a.bin", kind=WeightsKind.PLAIN, path="a.bin", size_bytes=2),
    Weights(name="Zoo", kind=WeightsKind.PLAIN, path="Zoo", size_bytes=5),
    Weights(name="dsr", kind=WeightsKind.ANOMALIB, path="anomalib/dsr", size_bytes=1),
    Weights(name="timm/x.in1k", kind=WeightsKind.HUGGINGFACE, path="hub/models--timm--x.in1k", size_bytes=7),
    Weights(name="r-f37072fd.pth", kind=WeightsKind.CHECKPOINT, path="hub/checkpoints/r-f37072fd.pth", size_bytes=4),
)
FILES = {
    "hub/nets_main/hubconf.py": 3, "a.bin": 2, "Zoo/x/y": 5, "anomalib/dsr/w": 1, "hub/checkpoints/r-f37072fd.pth": 4,
    "hub/models--timm--x.in1k/snapshots/1/model.safetensors": 7,
}  # fmt: skip


def in_memory(_root: Path, held: Mapping[str, int]) -> WeightsPort:
    return MemoryWeights(held=list(HELD) if held else [])


def on_disk(root: Path, held: Mapping[str, int]) -> WeightsPort:
    for path, size in held.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x" * size)
    return WeightsFolder(root)


@pytest.fixture(params=[in_memory, on_disk])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Mapping[str, int]], WeightsPort]:
    return lambda held: request.param(tmp_path, held)


def test_all_are_listed_by_name(make: Callable[[Mapping[str, int]], WeightsPort]) -> None:
    assert list(make(FILES).list_weights()) == sorted(HELD, key=lambda one: one.name.casefold())


def test_a_site_without_weights_has_nothing_to_mount(make: Callable[[Mapping[str, int]], WeightsPort]) -> None:
    port = make({})
    assert (list(port.list_weights()), port.folder()) == ([], None)
    assert make(FILES).folder() is not None
