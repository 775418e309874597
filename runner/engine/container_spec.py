"""The exact options of a sandbox, with no I/O, so that they are tested without an engine and again on one.

No text of a submission becomes an option: its entrypoint and config file are arguments of a fixed script, which passes
them to `python`, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.types import DeviceRequest, DriverConfig, LogConfig, Mount, Ulimit

from core.domain.limits import MIB, ResourceClass
from core.ports.sandbox import SandboxSpec
from runner.engine.start_script import START

SLOTS = range(1, 1000)
"""One for each concurrent run of an engine; added to `USER_BASE` it is the run's user id."""
USER_BASE = 60_000
LABEL = "leadersboard"
SLOT = f"{LABEL}.slot"
CANARY = f"{LABEL}.canary"
KEPT = f"{LABEL}.kept_seconds"
PROCESS = f"{LABEL}.process"
"""Label of what is removed once the process that started it is gone."""
HOLDER_MEMORY = 32 * MIB
TMP_FILES = 100_000
"""Files in each of /tmp and /job."""
ENTRY_BYTES = 32
"""Upper bound of what the `local` driver stores per line besides its text; a long line counts once per 16 KiB."""
CDI_KIND = "nvidia.com/gpu"
GPU_ENVIRONMENT = {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
"""Inside, the one device has index 0: the host's index in CUDA_VISIBLE_DEVICES would hide it."""
NO_GPU_ENVIRONMENT = {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": ""}
"""Hides all devices, also on an engine whose default runtime would give out all."""


def record_bytes(*, max_bytes: int, max_lines: int) -> int:
    """Size of the engine's record of a run's output that holds all that a run may print, however short its lines."""
    return max_bytes + max_bytes // 64 + max_lines * ENTRY_BYTES + MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineMeans:
    """How this site's engine runs submissions: the runtime (BOX-8), and the way to request a device (BOX-5)."""

    runtime: str = "runc"
    gpu_access: str = "device_requests"
    record_bytes: int = record_bytes(max_bytes=256 * MIB, max_lines=2_000_000)
    """Size at which the engine starts a new file for the record of a run's output; it keeps at most two."""
    keep_failed_seconds: float = 0.0
    """How long the stopped container of a failed run stays (BOX-11); its label has this for the sweeper."""


PLAIN = EngineMeans()


def owner(spec: SandboxSpec) -> str:
    """The label of everything that belongs to a run; a probe has another, so that it is not taken for a job."""
    return f"{LABEL}.{spec.role}={spec.job_id}"


def labels(spec: SandboxSpec, role: str, slot: int | None = None) -> dict[str, str]:
    """The labels of a container: shown by `docker ps` in the engine, and used to find a lost one again."""
    found = {
        f"{LABEL}.site": spec.site,
        f"{LABEL}.{spec.role}": spec.job_id,
        f"{LABEL}.attempt": str(spec.attempt),
        f"{LABEL}.claim": spec.claim,
        f"{LABEL}.user": spec.user_id,
        f"{LABEL}.role": role,
    }
    found |= {SLOT: str(slot)} if slot else {}
    found |= {PROCESS: spec.process} if spec.process else {}
    return found | ({f"{LABEL}.gpu": spec.gpu} if spec.gpu else {})


def volume_name(spec: SandboxSpec) -> str:
    return f"out-{spec.name}"


def volume_options(limits: ResourceClass, slot: int) -> dict[str, str]:
    """A file system in memory of a fixed size, which a run cannot make larger."""
    uid = USER_BASE + slot
    bound = f"size={limits.output_bytes},nr_inodes={limits.output_files}"
    return {"type": "tmpfs", "device": "tmpfs", "o": f"{bound},uid={uid},gid={uid},mode=0700,nosuid,nodev,noexec"}


def environment(limits: ResourceClass, *, gpu: bool) -> dict[str, str]:
    """The whole environment of a run; nothing is inherited."""
    threads = str(max(1, int(limits.cpus)))
    found = {
        "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108 the sandbox's own, sized
        "USER": "sandbox",  # a site's own image may have no name for the run's id
        "LOGNAME": "sandbox",
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": "/tmp",  # noqa: S108
        "TORCH_HOME": "/tmp/torch",  # noqa: S108
        "HF_HOME": "/tmp/huggingface",  # noqa: S108
        "XDG_CACHE_HOME": "/tmp/.cache",  # noqa: S108
        "NUMBA_CACHE_DIR": "/tmp/numba",  # noqa: S108
        "TRITON_CACHE_DIR": "/tmp/triton",  # noqa: S108
        "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor",  # noqa: S108
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": threads,
        "LEADERSBOARD_JOB": "/config/job.json",
        "LEADERSBOARD_DATA": "/data",
    }
    return found | (GPU_ENVIRONMENT if gpu else NO_GPU_ENVIRONMENT)


def _walls(seccomp: str, slot: int) -> dict[str, Any]:
    """The options that all containers of a run share."""
    return {
        "network_mode": "none",
        "ipc_mode": "private",
        "cgroupns": "private",
        "read_only": True,
        "user": f"{USER_BASE + slot}:{USER_BASE + slot}",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp}"],
        "init": True,
        "hostname": "job",
        "entrypoint": [],
        "detach": True,
        "stdin_open": False,
        "tty": False,
        "oom_score_adj": 500,
        "restart_policy": {"Name": "no"},
    }


def job_options(
    spec: SandboxSpec, *, image_id: str, seccomp: str, slot: int, means: EngineMeans = PLAIN
) -> dict[str, Any]:
    """All arguments of `containers.create` for a run."""
    limits = spec.limits
    room = [str(limits.job_bytes), str(TMP_FILES)]
    program = [spec.entrypoint, "--config", spec.config_file, "--output", "/out"]
    return (
        _walls(seccomp, slot)
        | {
            "image": image_id,
            "command": ["sh", "-c", START, "start", *room, *program],
            "name": spec.name,
            "labels": labels(spec, spec.role, slot) | {KEPT: f"{means.keep_failed_seconds:g}"},
            "working_dir": "/job",
            "environment": environment(limits, gpu=spec.gpu is not None) | _python_path(spec),
            "mounts": _mounts(spec, slot),
            "mem_limit": limits.memory_bytes,
            "memswap_limit": limits.memory_bytes,
            "nano_cpus": int(limits.cpus * 10**9),
            "pids_limit": limits.pids,
            "shm_size": limits.shm_bytes,
            "tmpfs": {"/tmp": _tmp(limits), "/job": _job(limits, slot)},  # noqa: S108
            "ulimits": _ulimits(limits),
            "log_config": LogConfig(type="local", config=_record(means)),
            "device_requests": [device_request([spec.gpu], means)] if spec.gpu else [],
        }
        | ({} if means.runtime == PLAIN.runtime else {"runtime": means.runtime})
    )


def _record(means: EngineMeans) -> dict[str, str]:
    """One file holds all that a run may print; the second is there because a rotation with one file would drop it.

    A reader that is behind by more than one file skips what is between, so many small files would lose lines.
    """
    return {"max-size": str(means.record_bytes), "max-file": "2", "compress": "false"}


def holder_options(spec: SandboxSpec, *, image_id: str, seccomp: str, slot: int) -> dict[str, Any]:
    """Options of the holder: it runs no foreign code, and keeps the output volume mounted until it was read."""
    return _walls(seccomp, slot) | {
        "image": image_id,
        "command": ["sleep", "infinity"],
        "name": f"holder-{spec.name}",
        "labels": {key: value for key, value in labels(spec, "holder", slot).items() if not key.endswith(".gpu")},
        "environment": {"PATH": "/usr/bin:/bin"},
        "mounts": [_output(spec, slot, read_only=True)],
        "mem_limit": HOLDER_MEMORY,
        "memswap_limit": HOLDER_MEMORY,
        "pids_limit": 8,
        "log_config": LogConfig(type="none"),
    }


def _output(spec: SandboxSpec, slot: int, *, read_only: bool = False) -> Mount:
    """Repeats the volume's size and labels, because Docker silently recreates a missing volume on start."""
    bound = DriverConfig("local", volume_options(spec.limits, slot))
    told = labels(spec, "output")
    return Mount(
        "/out", volume_name(spec), type="volume", read_only=read_only, no_copy=True, driver_config=bound, labels=told
    )


def _mounts(spec: SandboxSpec, slot: int) -> list[Mount]:
    found = [_read_only("/submission", spec.submission), _read_only("/config", spec.config), _output(spec, slot)]
    found += [_read_only("/data", spec.data)] if spec.data else []
    found += [_read_only("/weights", spec.weights)] if spec.weights else []
    return found + ([_read_only("/deps", spec.dependencies)] if spec.dependencies else [])


def _python_path(spec: SandboxSpec) -> dict[str, str]:
    """Puts a submission's packages before the image's: it may bring another version of one."""
    return {"PYTHONPATH": "/deps"} if spec.dependencies else {}


def _read_only(target: str, source: Path) -> Mount:
    return Mount(target, str(source), type="bind", read_only=True, propagation="rprivate")


def _tmp(limits: ResourceClass) -> str:
    """Programs can be run there: torch.compile loads what it has built."""
    return f"rw,nosuid,nodev,exec,size={limits.tmp_bytes},nr_inodes={TMP_FILES},mode=1777"


def _job(limits: ResourceClass, slot: int) -> str:
    """The throwaway copy of the submission's files; the run's user owns it."""
    uid = USER_BASE + slot
    return f"rw,nosuid,nodev,exec,size={limits.job_bytes},nr_inodes={TMP_FILES},mode=0755,uid={uid},gid={uid}"


def _ulimits(limits: ResourceClass) -> list[Ulimit]:
    """Sets no `nproc`: that limit counts per user id across containers, unlike `pids_limit`."""
    bounds = {"fsize": limits.output_bytes, "nofile": 4096, "core": 0}
    return [Ulimit(name=name, soft=bound, hard=bound) for name, bound in bounds.items()]


def device_request(devices: list[str], means: EngineMeans) -> DeviceRequest:
    """Requests these devices by UUID, or `all`."""
    if means.gpu_access == "cdi":
        return DeviceRequest(driver="cdi", device_ids=[f"{CDI_KIND}={device}" for device in devices])
    if devices == ["all"]:
        return DeviceRequest(count=-1, capabilities=[["gpu"]])
    return DeviceRequest(device_ids=devices, capabilities=[["gpu"]])
