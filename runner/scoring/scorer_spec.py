"""The exact options of the container that scores one run's predictions; no code of a submission runs in it (SCO-2)."""

from __future__ import annotations

from typing import Any

from docker.types import LogConfig, Mount, Ulimit

from core.domain.limits import MIB, ScoringLimits
from core.domain.proof import MAX_ANSWER_BYTES
from core.ports.scorer import ScorerSpec
from runner.engine.container_spec import PLAIN, labels

ROLE = "scorer"
UID = 59_002
USER = f"{UID}:{UID}"
"""Scorers' alone: below the user ids of runs, beside the installer's."""
OUT_BYTES = 16 * MIB
FILES = 10_000
"""In each of /tmp and /out."""
RECORD_BYTES = 8 * MIB
"""Size at which the engine begins a new file of what a scorer prints; of two files the older goes. Its answer comes
last and is far smaller."""
PROGRAM = ("python", "-m", "scorer.score")
OWN_PROGRAM = ("python", "/labels/score.py")
FOLDERS = ("--predictions", "/predictions", "--labels", "/labels", "--output", "/out")
START = """\
most=$1; shift
"$@" >&2 || exit $?
[ ! -f /out/scores.json ] || exec head -c "$most" /out/scores.json
"""
"""Runs the program, whose own prints go to stderr, and becomes the reader of its answer: stdout holds nothing else."""


def scorer_name(spec: ScorerSpec) -> str:
    """One for each run: a runner that takes the run over finds, and removes, the scorer that another one left."""
    return f"{ROLE}-{spec.run.name}"


def scorer_options(
    spec: ScorerSpec, limits: ScoringLimits, *, image_id: str, seccomp: str, runtime: str = PLAIN.runtime
) -> dict[str, Any]:
    """All arguments of `containers.create`. No way out, nothing that can be written but two bounded folders."""
    program = OWN_PROGRAM if spec.own_program else PROGRAM
    threads = str(max(1, int(limits.cpus)))
    options: dict[str, Any] = {
        "image": image_id,
        "name": scorer_name(spec),
        "labels": labels(spec.run, ROLE),
        "command": ["sh", "-c", START, "score", str(MAX_ANSWER_BYTES + 1), *program, *FOLDERS],
        "environment": {
            "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 the container's own, sized
            "TMPDIR": "/tmp",  # noqa: S108
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "NVIDIA_VISIBLE_DEVICES": "void",
        },
        "mounts": [
            Mount(target, str(source), type="bind", read_only=True, propagation="rprivate")
            for target, source in (
                ("/program", spec.program), ("/predictions", spec.predictions), ("/labels", spec.labels)
            )
        ],
        "tmpfs": {"/tmp": _folder(limits.tmp_bytes), "/out": _folder(OUT_BYTES)},  # noqa: S108
        "working_dir": "/program",
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "nano_cpus": int(limits.cpus * 10**9),
        "pids_limit": limits.pids,
        "ulimits": [Ulimit(name=name, soft=most, hard=most) for name, most in (
            ("nofile", 1024), ("core", 0), ("fsize", max(OUT_BYTES, limits.tmp_bytes)),
        )],
        "log_config": LogConfig(type="local", config=_RECORD),
    }  # fmt: skip
    return options | _walls(seccomp) | ({} if runtime == PLAIN.runtime else {"runtime": runtime})


_RECORD = {"max-size": str(RECORD_BYTES), "max-file": "2", "compress": "false"}


def _walls(seccomp: str) -> dict[str, Any]:
    return {
        "network_mode": "none",
        "ipc_mode": "private",
        "cgroupns": "private",
        "read_only": True,
        "user": USER,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp}"],
        "init": True,
        "hostname": ROLE,
        "entrypoint": [],
        "detach": True,
        "stdin_open": False,
        "tty": False,
        "oom_score_adj": 500,
        "restart_policy": {"Name": "no"},
    }


def _folder(size: int) -> str:
    return f"rw,nosuid,nodev,noexec,size={size},nr_inodes={FILES},mode=0700,uid={UID},gid={UID}"
