"""Lists an engine's devices and their used memory, in a container that has all devices.

`probe` starts one for each look: the way for when the standing one (standing_probe.py) gives no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests
from docker.types import LogConfig

from core.domain.errors import Unavailable
from core.domain.limits import MIB
from runner.engine.container_spec import LABEL, PLAIN, PROCESS, USER_BASE, EngineMeans, device_request
from runner.engine.errors import ENGINE
from runner.engine.resources import probe_labels, remove
from runner.guest import gpu_answers

PROBE_MEMORY = 512 * MIB
LOOK_SECONDS = 30.0


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


def standing_options(
    site: str, image_id: str, seccomp: str, means: EngineMeans = PLAIN, *, process: str = ""
) -> dict[str, Any]:
    """Options of the container that answers as long as its input is open; then it ends, and the engine removes it.

    It has no name by which probes are removed for their age.
    """
    labels = {f"{LABEL}.site": site, f"{LABEL}.role": "devices"} | ({PROCESS: process} if process else {})
    return probe_options(site, image_id, means) | {
        "command": ["python", "-I", "-c", Path(gpu_answers.__file__).read_text()],
        "labels": labels,
        "environment": {
            "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NVIDIA_DRIVER_CAPABILITIES": "utility",
        },
        "user": f"{USER_BASE}:{USER_BASE}",
        "working_dir": "/",
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp}"],
        "memswap_limit": PROBE_MEMORY,
        "nano_cpus": 10**9,
        "stdin_open": True,
        "auto_remove": True,
        "log_config": LogConfig(type="none"),
    }


def probe(client: docker.DockerClient, options: Mapping[str, Any]) -> dict[str, int]:
    """Used bytes by UUID; empty if the engine has no driver for the request, or no toolkit that brings nvidia-smi.

    Raises Unavailable when that takes longer than LOOK_SECONDS.
    """
    try:
        container = client.containers.create(**options)
    except docker.errors.APIError:
        return {}
    try:
        container.start()
        container.wait(timeout=LOOK_SECONDS)
        answer: bytes = container.logs(stdout=True, stderr=False)
    except docker.errors.APIError:
        return {}
    except requests.RequestException as error:
        told = f"nvidia-smi gave no answer in {LOOK_SECONDS:g} s, so what its devices are used for is not known"
        raise Unavailable(ENGINE, told) from error
    finally:
        remove(container)
    return read(answer.decode(errors="replace"))


def read(answer: str) -> dict[str, int]:
    """Used bytes by UUID; a device that reports none (`[N/A]`) counts as unused."""
    rows = [line.partition(",") for line in answer.splitlines() if line.startswith("GPU-")]
    return {uuid.strip(): int(used) * MIB if used.strip().isdigit() else 0 for uuid, _comma, used in rows}
