"""Lists an engine's devices and their used memory: runs nvidia-smi in a container that has all devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
import docker.errors

from core.domain.limits import MIB
from runner.engine.container_spec import PLAIN, EngineMeans, device_request
from runner.engine.resources import CALL_SECONDS, probe_labels, remove

PROBE_MEMORY = 512 * MIB


def probe_options(site: str, image_id: str, means: EngineMeans = PLAIN, *, process: str = "") -> dict[str, Any]:
    """Options of a container of ours that lists the engine's devices; it sees all of them and nothing else.

    If its process is killed meanwhile, its labels say what to remove: by the mark of the process, or else by age.
    """
    return {
        "image": image_id,
        "command": ["nvidia-smi", "--query-gpu=uuid,memory.used", "--format=csv,noheader,nounits"],
        "entrypoint": [],
        "labels": probe_labels(site, process),
        "environment": {"NVIDIA_DRIVER_CAPABILITIES": "utility"},
        "device_requests": [device_request(["all"], means)],
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": PROBE_MEMORY,
        "pids_limit": 64,
    }


def probe(client: docker.DockerClient, options: Mapping[str, Any]) -> dict[str, int]:
    """Used bytes by UUID; empty if the engine has no driver for the request, or no toolkit that brings nvidia-smi."""
    try:
        container = client.containers.create(**options)
    except docker.errors.APIError:
        return {}
    try:
        container.start()
        container.wait(timeout=CALL_SECONDS)
        answer: bytes = container.logs(stdout=True, stderr=False)
    except docker.errors.APIError:
        return {}
    finally:
        remove(container)
    return read(answer.decode(errors="replace"))


def read(answer: str) -> dict[str, int]:
    """Used bytes by UUID; a device that reports none (`[N/A]`) counts as unused."""
    rows = [line.partition(",") for line in answer.splitlines() if line.startswith("GPU-")]
    return {uuid.strip(): int(used) * MIB if used.strip().isdigit() else 0 for uuid, _comma, used in rows}
