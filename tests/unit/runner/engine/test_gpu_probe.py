"""What nvidia-smi says of an engine's devices."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import requests

from core.domain.errors import Unavailable
from runner.engine.gpu_probe import probe, read, standing_options

pytestmark = pytest.mark.unit


def test_the_answer_of_nvidia_smi_is_read() -> None:
    """One line for each device; one that does not tell its memory counts as unused."""
    assert read("GPU-a, 3\nGPU-b, [N/A]\nwarning\n") == {"GPU-a": 3 * 1024**2, "GPU-b": 0}


def test_the_standing_container_has_our_walls_and_goes_with_its_process() -> None:
    """Not by age: it is as old as its runner."""
    options = standing_options("s", "sha256:1", "{}", process="p-1")
    assert options["labels"] == {
        "leadersboard.site": "s", "leadersboard.role": "devices", "leadersboard.process": "p-1",
    }  # fmt: skip
    assert (options["network_mode"], options["read_only"], options["cap_drop"]) == ("none", True, ["ALL"])
    assert (options["user"], options["stdin_open"], options["auto_remove"]) == ("60000:60000", True, True)
    assert options["security_opt"] == ["no-new-privileges:true", "seccomp={}"]


def client_of(ends: Exception | None) -> tuple[Any, list[str]]:
    """An engine whose container ends so, and the names of what was called on it."""
    called: list[str] = []

    def wait(**_given: object) -> None:
        if ends is not None:
            raise ends

    container = SimpleNamespace(
        start=lambda: None,
        wait=wait,
        logs=lambda **_given: b"GPU-a, 3",
        remove=lambda **_given: called.append("remove"),
    )
    return SimpleNamespace(containers=SimpleNamespace(create=lambda **_given: container)), called


def test_a_driver_that_hangs_is_told_and_its_container_removed() -> None:
    """No devices at all would mean: this runner runs everything on the CPU."""
    client, called = client_of(requests.ConnectionError("read timed out"))
    with pytest.raises(Unavailable, match="nvidia-smi gave no answer"):
        probe(client, {})
    assert called == ["remove"]


def test_an_engine_without_a_driver_has_no_devices() -> None:
    for ends, found in ((docker.errors.APIError("no driver"), {}), (None, {"GPU-a": 3 * 1024**2})):
        client, called = client_of(ends)
        assert (probe(client, {}), called) == (found, ["remove"])
