"""Looks at devices through a made-up nvidia-smi, on the real engine with a harmless device (BOX-5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.canary import CanaryRow
from core.domain.limits import MIB, SMALL
from runner.canary.probe import Canary
from runner.engine.docker_engine import DockerEngine
from runner.gpus import Gpus
from tests.docker.made_up_devices import GPU, smi

pytestmark = pytest.mark.docker

CLASS = SMALL.model_copy(update={"cpus": 1, "memory_bytes": 512 * MIB})
NO_TORCH = "RUN rm -rf /opt/venv/lib/python3*/site-packages/torch"


def gpu_rows(engine: DockerEngine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, CanaryRow]:
    """The canary's rows about devices; the limits are not run into."""
    monkeypatch.setattr(Canary, "_run_into_limits", lambda _self, _limits: {})
    canary = Canary(
        engine=engine, resource_classes=[CLASS], image=engine._image, site=engine._site, folder=folder / ".canary",
        gpus=Gpus(engine, lock_file=folder / "lock"),
    )  # fmt: skip
    rows = [row for row in canary().rows if row.resource_class == CLASS.name]
    assert {row.check for row in rows if not row.ok and "gpu" not in row.check} == set()
    return {row.check: row for row in rows if "gpu" in row.check}


def test_the_leased_device_is_seen_alone_and_free_again(
    engine_of: Callable[[str], DockerEngine], engine_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walls of the same class, tried without a device, are green beside it: they find none in /dev."""
    rows = gpu_rows(engine_of(f"{smi()}\n{NO_TORCH}"), engine_folder, monkeypatch)
    assert {name: (row.ok, row.found) for name, row in rows.items()} == {
        "gpu": (True, str([GPU])), "gpu nodes": (True, "['nvidia0']"), "gpu product": (True, "no torch"),
        "gpu memory": (True, "3 MiB"),
    }  # fmt: skip


def test_a_second_device_and_a_torch_that_finds_none_are_red(
    engine_of: Callable[[str], DockerEngine], engine_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real torch of the sandbox image, which finds no driver here."""
    rows = gpu_rows(engine_of(smi(devices=(GPU, "GPU-2"))), engine_folder, monkeypatch)
    assert {name for name, row in rows.items() if not row.ok} == {"gpu", "gpu product"}
    assert "GPU-2" in rows["gpu"].found
    assert rows["gpu product"].found == "torch finds no device"
