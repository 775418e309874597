"""The exact options of the containers that fetch a submission's wheels; none of its code runs in them (BOX-7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docker.types import DriverConfig, LogConfig, Mount, Ulimit

from core.domain.limits import MIB, RequirementsLimits
from core.ports.sandbox import SandboxSpec
from runner.engine.container_spec import labels
from runner.guest import index_proxy, pip_step
from runner.requirements.index import Index

UID = 59001
USER = f"{UID}:{UID}"
"""The installer's alone: below the user ids of runs."""
PROGRAM_BYTES = 512 * MIB
PROXY_BYTES = 128 * MIB
CA = "/index/ca.pem"


def thing_name(spec: SandboxSpec, thing: str) -> str:
    return f"{thing}-{spec.name}"


def volume_options(limits: RequirementsLimits) -> dict[str, str]:
    bound = f"size={2 * limits.installed_bytes},nr_inodes={2 * limits.files}"
    return {"type": "tmpfs", "device": "tmpfs", "o": f"{bound},uid={UID},gid={UID},mode=0700,nosuid,nodev,noexec"}


def _walls(spec: SandboxSpec, role: str, *, image_id: str, seccomp: str, memory: int) -> dict[str, Any]:
    return {
        "image": image_id,
        "name": thing_name(spec, role),
        "labels": {key: value for key, value in labels(spec, role).items() if not key.endswith(".gpu")},
        "ipc_mode": "private",
        "cgroupns": "private",
        "read_only": True,
        "user": USER,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp}"],
        "init": True,
        "hostname": role,
        "working_dir": "/",
        "entrypoint": [],
        "detach": True,
        "stdin_open": False,
        "tty": False,
        "restart_policy": {"Name": "no"},
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": 10**9,
        "pids_limit": 64,
        "ulimits": [Ulimit(name="nofile", soft=1024, hard=1024), Ulimit(name="core", soft=0, hard=0)],
        "log_config": LogConfig(type="local", config={"max-size": "1m", "max-file": "2"}),
    }


def proxy_options(spec: SandboxSpec, index: Index, *, image_id: str, seccomp: str) -> dict[str, Any]:
    """The proxy's options: on the engine's own bridge, and later on the installer's network."""
    walls = _walls(spec, "index", image_id=image_id, seccomp=seccomp, memory=PROXY_BYTES)
    return walls | {
        "command": ["python", "-I", "-c", _text(index_proxy), *index.allowed],
        "environment": {"PATH": "/opt/venv/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        "network": "bridge",
    }


def installer_options(
    spec: SandboxSpec,
    index: Index,
    wanted: tuple[str, ...],
    limits: RequirementsLimits,
    *,
    image_id: str,
    seccomp: str,
    ca: Path | None,
) -> dict[str, Any]:
    """The installer's options. Its only way out is the proxy: its own network has none."""
    memory = 2 * limits.installed_bytes + PROGRAM_BYTES
    walls = _walls(spec, "installer", image_id=image_id, seccomp=seccomp, memory=memory)
    mounts = [_packages(spec, limits)]
    if ca is not None:
        mounts.append(Mount(CA, str(ca), type="bind", read_only=True, propagation="rprivate"))
    proxy = f"http://index:{index_proxy.PORT}"
    return walls | {
        "command": ["python", "-I", "-c", _text(pip_step), *wanted],
        "environment": {
            "PATH": "/opt/venv/bin:/usr/bin:/bin",
            "HOME": "/out/tmp",
            "TMPDIR": "/out/tmp",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_NO_INPUT": "1",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_TIMEOUT": "15",
            "PIP_RETRIES": "1",
        }
        | index.environment()
        | ({"PIP_CERT": CA} if ca is not None else {}),
        "network": thing_name(spec, "packages"),
        "mounts": mounts,
    }


def holder_options(spec: SandboxSpec, limits: RequirementsLimits, *, image_id: str, seccomp: str) -> dict[str, Any]:
    """The options of the holder, which keeps what was installed until it was read."""
    return _walls(spec, "packages", image_id=image_id, seccomp=seccomp, memory=32 * MIB) | {
        "command": ["sleep", "infinity"],
        "environment": {"PATH": "/usr/bin:/bin"},
        "network_mode": "none",
        "pids_limit": 8,
        "mounts": [_packages(spec, limits, read_only=True)],
        "log_config": LogConfig(type="none"),
    }


def _packages(spec: SandboxSpec, limits: RequirementsLimits, *, read_only: bool = False) -> Mount:
    """Repeats the volume's size and labels, because Docker silently recreates a missing volume on start."""
    return Mount(
        "/out", thing_name(spec, "packages"), type="volume", read_only=read_only, no_copy=True,
        driver_config=DriverConfig("local", volume_options(limits)), labels=labels(spec, "packages"),
    )  # fmt: skip


def _text(module: Any) -> str:
    return Path(module.__file__).read_text()
