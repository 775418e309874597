"""What the canary makes of its trial of a device, and what its program finds out about a product."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.canary import CanaryRow
from core.domain.limits import GIB, SMALL, GpuPolicy
from runner import gpus as gpus_module
from runner.canary.gpu import gpu_rows
from runner.gpus import Gpus
from runner.guest import canary_gpu
from tests.process_sandbox import ProcessEngine

pytestmark = pytest.mark.unit

SOUND: dict[str, Any] = {"gpu": ["GPU-a"], "gpu nodes": ["nvidia0"], "gpu product": "right"}
REQUIRED = SMALL.model_copy(update={"gpus": GpuPolicy.REQUIRED})


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessEngine:
    monkeypatch.setattr(gpus_module, "WAIT_SECONDS", 0.0)
    return ProcessEngine(tmp_path / "engine", devices=("GPU-a", "GPU-b"))


def tried(engine: ProcessEngine, found: Mapping[str, Any], *, leaves: int = 0) -> list[CanaryRow]:
    """The rows of a trial whose program finds this, and leaves so many bytes on the device."""

    def run(device: str) -> Mapping[str, Any]:
        engine.gpu_used = {device: leaves}
        return found

    return list(gpu_rows(Gpus(engine, lock_file=engine.root.parent / "lock"), REQUIRED, run))


def red(rows: list[CanaryRow]) -> list[str]:
    return [row.check for row in rows if not row.ok]


def test_a_sound_device_is_green(engine: ProcessEngine) -> None:
    rows = tried(engine, SOUND)
    assert ([row.check for row in rows], red(rows)) == (["gpu", "gpu nodes", "gpu product", "gpu memory"], [])
    assert red(tried(engine, SOUND | {"gpu product": "no torch"})) == []


@pytest.mark.parametrize(("check", "found"), [
    ("gpu", ["GPU-b"]), ("gpu", ["GPU-a", "GPU-b"]), ("gpu", []), ("gpu", "nvidia-smi: exit code 9"),
    ("gpu nodes", ["nvidia0", "nvidia1"]), ("gpu nodes", []), ("gpu product", "wrong by 3"),
    ("gpu product", "torch finds no device"),
])  # fmt: skip
def test_another_device_or_a_wrong_product_is_red(engine: ProcessEngine, check: str, found: object) -> None:
    assert red(tried(engine, SOUND | {check: found})) == [check]


def test_memory_that_is_not_given_back_is_red(engine: ProcessEngine) -> None:
    rows = tried(engine, SOUND, leaves=2 * GIB)
    assert red(rows) == ["gpu memory"]
    assert rows[-1].found == "2048 MiB"


def test_a_program_that_ends_early_has_proved_nothing(engine: ProcessEngine) -> None:
    assert red(tried(engine, {})) == ["gpu", "gpu nodes", "gpu product"]


def test_devices_in_use_are_left_to_their_jobs(engine: ProcessEngine) -> None:
    """Nor is waited for one: the canary would hold up the jobs that wait."""
    engine.taken = {"GPU-a", "GPU-b"}
    (row,) = tried(engine, SOUND)
    assert (row.ok, row.found) == (True, "not tried now: none of 2 is free")


def test_without_devices_there_is_no_row(tmp_path: Path) -> None:
    assert tried(ProcessEngine(tmp_path / "engine", devices=()), SOUND) == []


class Matrix:
    """A number in place of a matrix, which is `apart` from the truth when it comes from the device."""

    def __init__(self, value: float, apart: float = 0.0) -> None:
        self.value, self.apart = value, apart

    def cuda(self) -> Matrix:
        return Matrix(self.value, APART[0])

    def cpu(self) -> Matrix:
        return Matrix(self.value + self.apart)

    def __matmul__(self, other: Matrix) -> Matrix:
        return Matrix(self.value * other.value, self.apart)

    def __sub__(self, other: Matrix) -> Matrix:
        return Matrix(self.value - other.value)

    def abs(self) -> Matrix:
        return Matrix(abs(self.value))

    def max(self) -> float:
        return self.value


APART = [0.0]


@pytest.mark.parametrize(("apart", "devices", "told"), [
    (0.0, 1, "right"), (0.5, 1, "wrong by 0.5"), (0.0, 0, "torch finds no device"), (0.0, 2, "torch finds 2 devices"),
])  # fmt: skip
def test_a_product_is_compared_with_the_cpus(
    monkeypatch: pytest.MonkeyPatch, apart: float, devices: int, told: str
) -> None:
    cuda = SimpleNamespace(is_available=lambda: devices > 0, device_count=lambda: devices)
    torch = SimpleNamespace(cuda=cuda, rand=lambda *_size, **_kind: Matrix(3.0), float64=None)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(sys.modules[__name__], "APART", [apart])
    assert canary_gpu.product() == told


def test_an_nvidia_smi_that_is_missing_hangs_or_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_command: object, **_options: object) -> object:
        return ends.pop(0)() if ends else None

    def hang() -> object:
        raise subprocess.TimeoutExpired("nvidia-smi", 30)

    def missing() -> object:
        raise FileNotFoundError

    ends = [missing, hang, lambda: SimpleNamespace(returncode=9, stdout=""),
            lambda: SimpleNamespace(returncode=0, stdout="GPU-a\n\n")]  # fmt: skip
    monkeypatch.setattr(subprocess, "run", answer)
    assert [canary_gpu.listed() for _try in range(4)] == [
        "nvidia-smi: FileNotFoundError", "nvidia-smi: TimeoutExpired", "nvidia-smi: exit code 9", ["GPU-a"],
    ]  # fmt: skip
