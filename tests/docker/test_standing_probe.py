"""The standing probe on the real engine, with a harmless device and stand-ins for NVML and nvidia-smi (BOX-5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from core.domain.limits import GIB, MIB
from runner.engine import standing_probe
from runner.engine.container_spec import CANARY
from runner.engine.docker_engine import DockerEngine
from runner.gpus import Gpus
from tests.docker.made_up_devices import GPU, nvml, smi
from tests.waiting import until

pytestmark = pytest.mark.docker

HANGS = "RUN printf '#!/bin/sh\\nexec sleep 600\\n' > /usr/bin/nvidia-smi && chmod 0755 /usr/bin/nvidia-smi"


def standing(inner: docker.DockerClient, engine: DockerEngine) -> list[Container]:
    wanted = [f"leadersboard.site={engine._site}", "leadersboard.role=devices"]
    found: list[Container] = inner.containers.list(all=True, filters={"label": wanted}, ignore_removed=True)
    return found


@contextmanager
def counted(inner: docker.DockerClient) -> Iterator[list[str]]:
    """The images of the containers that are created meanwhile."""
    made: list[str] = []
    events: Any = inner.events(filters={"type": "container", "event": "create"}, decode=True)

    def read() -> None:
        made.extend(event["Actor"]["Attributes"]["image"] for event in events)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(0.3)  # the engine answers once there is an event
    yield made
    time.sleep(0.3)
    events.close()


def test_looks_cost_no_container_each_and_are_always_new(
    engine_of: Callable[[str], DockerEngine], inner: docker.DockerClient
) -> None:
    """By nvidia-smi where the image has no library: forty looks in the container of the first one."""
    engine = engine_of(smi(used=3))
    assert engine.gpu_memory() == {GPU: 3 * MIB}
    with counted(inner) as made:
        assert {tuple(engine.gpu_memory().items()) for _look in range(40)} == {((GPU, 3 * MIB),)}
    image = inner.images.get(engine._image)
    assert not {*image.tags, str(image.id)} & set(made)
    assert len(standing(inner, engine)) == 1
    engine.close()
    until(lambda: not standing(inner, engine))


def test_the_drivers_library_is_asked_where_it_agrees_with_nvidia_smi(engine_of: Callable[[str], DockerEngine]) -> None:
    """The stand-in has 3 MiB in use; nvidia-smi says 30 MiB, which is near enough, and 3000 MiB, which is not."""
    assert engine_of(f"{smi(used=30)}\n{nvml()}").gpu_memory() == {GPU: 3 * MIB}
    assert engine_of(f"{smi(used=3000)}\n{nvml()}").gpu_memory() == {GPU: 3000 * MIB}
    assert engine_of(f"{smi(used=3, devices=(GPU, 'GPU-2'))}\n{nvml()}").gpu_memory() == {
        GPU: 3 * MIB,
        "GPU-2": 3 * MIB,
    }


def test_it_has_the_walls_of_our_containers(
    engine_of: Callable[[str], DockerEngine], inner: docker.DockerClient
) -> None:
    engine = engine_of(smi())
    engine.gpu_memory()
    (found,) = standing(inner, engine)
    host = found.attrs["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"], host["AutoRemove"]) == (
        "none", True, ["ALL"], True,
    )  # fmt: skip
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (512 * MIB, 512 * MIB, 64)
    assert host["SecurityOpt"][0] == "no-new-privileges:true"
    assert found.attrs["Config"]["User"] == "60000:60000"
    assert "Mounts" not in host or not host["Mounts"]
    labels = found.attrs["Config"]["Labels"]
    assert labels["leadersboard.role"] == "devices", "what is removed for its age has the role probe"
    assert CANARY not in labels, "nor is it a canary of the past"


def test_one_that_died_is_started_again(engine_of: Callable[[str], DockerEngine], inner: docker.DockerClient) -> None:
    engine = engine_of(smi())
    engine.gpu_memory()
    (first,) = standing(inner, engine)
    first.kill()
    assert engine.gpu_memory() == {GPU: 3 * MIB}
    until(lambda: [found.id for found in standing(inner, engine)] not in ([], [first.id]))
    assert engine._standing.look() == {GPU: 3 * MIB}


def test_one_that_hangs_is_left_for_a_container_each(
    engine_of: Callable[[str], DockerEngine], inner: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused by the engine: it answers nothing, and what it would say later is not taken."""
    monkeypatch.setattr(standing_probe, "ANSWER_SECONDS", 0.5)
    engine = engine_of(smi())
    engine.gpu_memory()
    (found,) = standing(inner, engine)
    found.pause()
    with counted(inner) as made:
        assert engine.gpu_memory() == {GPU: 3 * MIB}
    assert made, "one of its own"
    assert engine._standing.look() is None, "it rests"
    until(lambda: not standing(inner, engine))


def test_a_look_at_a_driver_that_hangs_ends_with_words(
    engine_of: Callable[[str], DockerEngine], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither way answers: the devices are not known, which is no reason to hand one out."""
    monkeypatch.setattr(standing_probe, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr("runner.engine.gpu_probe.LOOK_SECONDS", 1.0)
    engine = engine_of(HANGS)
    with pytest.raises(Exception, match="nvidia-smi gave no answer"):
        _ = Gpus(engine, lock_file=tmp_path / "lock").all


def test_a_stranger_on_the_device_is_found_before_the_lease(
    engine_of: Callable[[str], DockerEngine], tmp_path: Path
) -> None:
    """The quarantine is as before, whichever way the answer came."""
    gpus = Gpus(engine_of(smi(used=2575)), lock_file=tmp_path / "lock", busy_bytes=GIB)
    with gpus.reserved_at_once() as device:
        assert device is None
    assert gpus.quarantined == {GPU: "2575 MiB taken while nobody has it"}


def test_what_a_killed_runner_leaves_ends_by_itself(
    engine_of: Callable[[str], DockerEngine], inner: docker.DockerClient
) -> None:
    """Its input ends with the connection; no janitor has to come by."""
    engine = engine_of(smi())
    engine.gpu_memory()
    opened = engine._standing._opened
    assert opened is not None
    opened._connection.close()  # as the kernel does
    until(lambda: not standing(inner, engine))
