"""A runner that leaves behind what a version before 2026-11-26 left: `dramatiq tests.docker.older_runner:build`.

No settings beside its runs, no files that say which processes live, labels without their marks and the time that a
failed run is kept, claims held by a file that is open for writing, and results that it seals nowhere. That such a
version itself works beside this one was tried by hand, with its code.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from dramatiq.brokers.redis import RedisBroker

import runner.lease.claim_locks
import runner.lease.living_processes
import runner.main
import runner.recovery.tracking
from core.adapters.redis.job_status import RedisJobStatus
from runner.engine import container_spec, docker_engine
from runner.recovery.site_names import SiteNames
from runner.run_folder import RunFolder

UNKNOWN_LABELS = {container_spec.PROCESS, container_spec.KEPT}


def build() -> RedisBroker:
    changed: list[tuple[Any, str, Any]] = [
        (runner.lease.claim_locks, "hold", _hold),
        (runner.lease.living_processes, "hold", lambda _path: None),
        (runner.recovery.tracking, "seal_old_results", lambda *_: None),
        (SiteNames, "add", lambda *_: None),
        (RunFolder, "agree", lambda *_: None),
        (RedisJobStatus, "finish", _unsealed(RedisJobStatus.finish)),
        (docker_engine, "job_options", _unlabelled(docker_engine.job_options)),
    ]
    for owner, name, instead in changed:
        setattr(owner, name, instead)
    return runner.main.build()


def _hold(path: Path) -> int:
    new = path.with_name(f".{path.name}")
    file = os.open(new, os.O_WRONLY | os.O_CREAT, 0o640)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    new.replace(path)
    return file


def _unsealed(finish: Any) -> Any:
    return lambda ledger, claim, outcome, _result=None: finish(ledger, claim, outcome)


def _unlabelled(job_options: Any) -> Any:
    def options(*args: Any, **named: Any) -> dict[str, Any]:
        found: dict[str, Any] = job_options(*args, **named)
        known = {name: value for name, value in found["labels"].items() if name not in UNKNOWN_LABELS}
        return found | {"labels": known}

    return options
