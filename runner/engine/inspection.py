"""Shows admins what runs in this host's engine (BOX-11): figures, options, versions. Changes nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from core.domain.folders import FolderState
from core.domain.runners import MOST_LISTED, DiskFigures, SandboxFigures
from runner.engine.container_spec import LABEL
from runner.engine.errors import engine_errors
from runner.engine.resources import CALL_SECONDS

LINE = 300


class Inspection:
    """Reads one site's containers; keeps the last reading, to compute the CPU used since."""

    def __init__(self, socket: str, *, site: str) -> None:
        self._client = docker.DockerClient(base_url=socket, timeout=CALL_SECONDS)
        self._site = site
        self._used: dict[str, tuple[float, float]] = {}

    def close(self) -> None:
        self._client.close()

    def versions(self) -> Mapping[str, str]:
        """Versions of the engine and its parts. Raises Unavailable."""
        with engine_errors():
            told = self._client.version()
        parts = {str(part["Name"])[:40]: str(part["Version"])[:80] for part in told.get("Components") or ()}
        return {"kernel": str(told.get("KernelVersion", ""))[:80], **dict(list(parts.items())[:10])}

    def sandboxes(self) -> tuple[SandboxFigures, ...]:
        """Every container of a run of this site, living or just ended. Raises Unavailable."""
        labels = [f"{LABEL}.site={self._site}", f"{LABEL}.role=job"]
        with engine_errors():
            found: list[Container] = self._client.containers.list(
                all=True, filters={"label": labels}, ignore_removed=True
            )
            figures = tuple(self._figures(container) for container in found[:MOST_LISTED])
        self._used = {container.id: self._used[container.id] for container in found if container.id in self._used}
        return figures

    def _figures(self, container: Container) -> SandboxFigures:
        attrs, labels = container.attrs, container.labels
        return SandboxFigures(
            name=str(container.name)[:LINE],
            job_id=labels.get(f"{LABEL}.job", "")[:LINE],
            user_id=labels.get(f"{LABEL}.user", "")[:LINE],
            attempt=int(labels.get(f"{LABEL}.attempt", "0")),
            image=str(attrs["Image"])[:LINE],
            status=str(container.status)[:LINE],
            age_seconds=_age(attrs["Created"]),
            gpu=labels.get(f"{LABEL}.gpu"),
            runtime=str(attrs["HostConfig"].get("Runtime", ""))[:LINE],
            security=security_of(attrs),
            memory_limit_bytes=attrs["HostConfig"].get("Memory") or None,
            **self._live(container),
        )

    def _live(self, container: Container) -> dict[str, Any]:
        """What the container uses now; empty if it has just gone."""
        if container.status != "running":
            return {}
        with contextlib.suppress(docker.errors.APIError):
            stats: Any = container.stats(stream=False, one_shot=True)
            cpu = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0) / 1e9
            return {
                "cpu_percent": self._percent(str(container.id), cpu, _age(container.attrs["Created"])),
                "memory_bytes": stats.get("memory_stats", {}).get("usage"),
                "pids": stats.get("pids_stats", {}).get("current"),
            }
        return {}

    def _percent(self, container_id: str, used: float, age: float) -> float | None:
        """Percent of one CPU since the last reading; at the first one, since the container was created."""
        now = time.monotonic()
        since, before = self._used.get(container_id, (now - age, 0.0))
        self._used[container_id] = (now, used)
        return round(100 * max(0.0, used - before) / (now - since), 1) if now > since else None


def security_of(attrs: Mapping[str, Any]) -> tuple[str, ...]:
    """The walls of a container as the engine has them, a line each; of a seccomp profile only the size."""
    host, config = attrs["HostConfig"], attrs["Config"]
    options = [_short(option) for option in host.get("SecurityOpt") or ()]
    return tuple(
        line[:LINE]
        for line in (
            f"user {config.get('User') or 'root'}",
            f"network {host.get('NetworkMode')}",
            "root file system read-only" if host.get("ReadonlyRootfs") else "root file system WRITABLE",
            f"capabilities dropped: {', '.join(host.get('CapDrop') or ()) or 'NONE'}",
            *(["PRIVILEGED"] if host.get("Privileged") else []),
            *options,
            f"ipc {host.get('IpcMode')}, cgroup {host.get('CgroupnsMode')}, pids {host.get('PidsLimit')}",
            f"swap {'off' if host.get('MemorySwap') == host.get('Memory') else 'ON'}",
        )
    )


def _short(option: str) -> str:
    return f"seccomp profile of {len(option)} characters" if option.startswith("seccomp={") else option


def _age(created: str) -> float:
    """Age in seconds. The engine writes nanoseconds, which `fromisoformat` does not read."""
    began = datetime.fromisoformat(created[:19]).replace(tzinfo=UTC)
    return max(0.0, round((datetime.now(UTC) - began).total_seconds(), 1))


def disks(folders: Iterable[FolderState]) -> tuple[DiskFigures, ...]:
    """Free and total bytes of each folder, and why it cannot be used; 0 if its disk did not answer."""
    return tuple(
        DiskFigures(
            name=state.name,
            free_bytes=state.free_bytes or 0,
            total_bytes=state.total_bytes or 0,
            fault=state.fault[:LINE] if state.fault else None,
        )
        for state in folders
    )
