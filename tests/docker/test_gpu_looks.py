"""Looks at devices through a made-up nvidia-smi, on the real engine with a harmless device (BOX-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from core.domain.canary import CanaryRow
from core.domain.limits import MIB, SMALL
from runner.canary.probe import Canary
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from runner.gpus import Gpus
from tests.conftest import service
from tests.docker.conftest import SECCOMP
from tests.docker.test_stronger_engines import GPU, offers

pytestmark = pytest.mark.docker

CLASS = SMALL.model_copy(update={"cpus": 1, "memory_bytes": 512 * MIB})
NO_TORCH = "RUN rm -rf /opt/venv/lib/python3*/site-packages/torch"


def smi(*, used: int = 3, devices: tuple[str, ...] = (GPU,)) -> str:
    """Dockerfile lines of an nvidia-smi that lists these devices, where it finds the node of one."""
    lists = "; ".join(f'echo "{device}$told"' for device in devices)
    script = f'#!/bin/sh\\n[ -e /dev/nvidia0 ] || exit 9\\ncase "$*" in *memory*) told=", {used}";; esac\\n{lists}\\n'
    return f"RUN printf '{script}' > /usr/bin/nvidia-smi && chmod 0755 /usr/bin/nvidia-smi"


@pytest.fixture
def engine_of(
    inner: docker.DockerClient, built: Callable[[str], str], fresh_name: str
) -> Iterator[Callable[[str], DockerEngine]]:
    """An engine whose images have these lines of a Dockerfile, and devices by CDI."""
    offers("CDI", there=bool(inner.info().get("CDISpecDirs")))
    made: list[DockerEngine] = []

    def open_engine(lines: str) -> DockerEngine:
        means = EngineMeans(gpu_access="cdi")
        made.append(DockerEngine(
            service("LEADERSBOARD_TEST_ENGINE"), site=fresh_name, image=built(lines), seccomp=SECCOMP, means=means
        ))  # fmt: skip
        return made[-1]

    yield open_engine
    for engine in made:
        engine.close()


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
