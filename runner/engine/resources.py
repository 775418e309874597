"""Labels, finds, reads and removes an engine's containers, volumes and networks, while other processes do so, too."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from runner.engine.container_spec import CANARY, KEPT, LABEL, PROCESS

CALL_SECONDS = 60
"""Deadline for each answer of the engine."""


def probe_labels(site: str, process: str) -> dict[str, str]:
    """Labels of a container of ours beside the jobs: if its process is killed, they say what to remove.

    That is found by the mark of the process; without one, by its age.
    """
    told = {
        f"{LABEL}.site": site,
        f"{LABEL}.role": "probe",
        CANARY: f"{int(time.time())}-{secrets.token_hex(6)}",
        PROCESS: process,
    }
    return {name: value for name, value in told.items() if value}


def labels_of(thing: Any) -> dict[str, str]:
    found: dict[str, str] = thing.labels if isinstance(thing, Container) else thing.attrs["Labels"]
    return found


def begun(canary: str) -> float:
    """When a probe began, in seconds since 1970, from its name; 0 if that does not say."""
    started = canary.partition("-")[0]
    return float(started) if started.isdigit() else 0.0


def created(container: Container) -> float:
    """When the container was created, in seconds since 1970, by the engine's clock."""
    text = str(container.attrs["Created"])
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp() if len(text) > 18 else 0.0  # noqa: PLR2004


def kept_seconds(labels: Mapping[str, str]) -> float | None:
    """How many seconds this run's container is to be kept if it fails; None if an older version started it."""
    try:
        return float(labels[KEPT])
    except (KeyError, ValueError):
        return None


def found(client: docker.DockerClient, name: str) -> Container | None:
    try:
        return client.containers.get(name)
    except docker.errors.NotFound:
        return None


def remove(container: Container | None) -> None:
    """Removes the container; if another process is removing it, waits until it is gone."""
    if container is None:
        return
    try:
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise
        with contextlib.suppress(docker.errors.NotFound):
            container.wait(condition="removed", timeout=CALL_SECONDS)


def remove_networks(client: docker.DockerClient, labels: list[str]) -> int:
    found = client.networks.list(filters={"label": labels})
    for network in found:
        with contextlib.suppress(docker.errors.NotFound):
            network.remove()
    return len(found)


def remove_volumes(client: docker.DockerClient, labels: list[str]) -> int:
    found = client.volumes.list(filters={"label": labels})
    for volume in found:
        with contextlib.suppress(docker.errors.NotFound):
            volume.remove(force=True)
    return len(found)
