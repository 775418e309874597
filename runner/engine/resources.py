"""Containers and volumes of an engine: found, read and removed, also while somebody else removes them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from runner.engine.container_spec import KEPT

CALL_SECONDS = 60
"""No answer of the engine is waited for longer."""


def seconds_between(started: str, finished: str) -> float:
    """Of the engine's times, which have nanoseconds."""
    begin, end = (datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text)) for text in (started, finished))
    return max(0.0, (end - begin).total_seconds())


def labels_of(thing: Any) -> dict[str, str]:
    found: dict[str, str] = thing.labels if isinstance(thing, Container) else thing.attrs["Labels"]
    return found


def begun(canary: str) -> float:
    """When a probe began, in seconds since 1970: its name says so."""
    started = canary.partition("-")[0]
    return float(started) if started.isdigit() else 0.0


def created(container: Container) -> float:
    """In seconds since 1970, by the engine's clock."""
    text = str(container.attrs["Created"])
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp() if len(text) > 18 else 0.0  # noqa: PLR2004


def kept_seconds(labels: Mapping[str, str]) -> float | None:
    """How long this run's container is to be kept if it fails; None where an older version has started it."""
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
    """Gone afterwards, also when somebody else is removing it at this moment."""
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
