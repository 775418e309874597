"""Runs a short program of a test in the sandbox image, without a network, and reads what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import docker
from docker.types import LogConfig

MARK = "FOUND"
"""What the program prints before its JSON, which ends its output."""


def found_by(
    inner: docker.DockerClient, image: str, program: str, *arguments: str, folders: dict[Path, str] | None = None
) -> Any:
    """The JSON that the program printed last. `folders` are mounted read-only, each at its path in the container."""
    printed: bytes = inner.containers.run(
        image,
        ["-c", program, *arguments],
        entrypoint="python",
        volumes={str(folder): {"bind": place, "mode": "ro"} for folder, place in (folders or {}).items()},
        log_config=LogConfig(type="json-file"),
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": "rw"},
        environment={"HF_HUB_OFFLINE": "1", "HOME": "/tmp"},
        user="60001:60001",
        remove=True,
    )
    return json.loads(printed.decode().rpartition(MARK)[2])
