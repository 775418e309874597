"""Builds the result of a passed run: its metrics, our own figures, tags with its origin, and its log."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from core.adapters.files_below import files_below
from core.domain.errors import Rejected, Unavailable
from core.domain.job import Job
from core.domain.sealed_result import MAX_SEALED_FILES, SealedFile, SealedResult
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Verdict
from core.ports.tracking import Result, TrackingPort
from runner.job.signals import ResultWaits

log = structlog.get_logger(__name__)

MAX_NAMED = 20


def result_of(
    job: Job,
    verdict: Verdict,
    record: RunRecord,
    submission: Submission,
    *,
    artifacts: Path,
    facts: Mapping[str, str],
    keep_going: Callable[[], None] = lambda: None,
) -> Result:
    """The result of a run that passed; each of the facts becomes a tag. `keep_going` is called before each file."""
    if verdict.metrics is None:
        raise ValueError("only a passed run is recorded")
    told = {
        "code_sha256": submission.sha256,
        "image_digest": record.image_digest,
        "resource_class": job.resource_class,
        **{name: value for name, value in facts.items() if value},
    }
    return Result(
        files=files_of(artifacts, keep_going),
        job=replace(job, finished_at=job.finished_at or datetime.now(UTC)),
        metrics=verdict.metrics,
        measured=record.peaks,
        tags={f"leadersboard.{name}": value for name, value in told.items()},
        artifacts=artifacts,
    )


def recorded(tracking: TrackingPort, result: Result, **asked: Any) -> SealedResult:
    """Records a result and returns what is to be sealed. Raises ResultWaits while the tracking server is away."""
    try:
        return result.sealed_as(tracking.record(result, **asked))
    except Rejected:
        raise
    except Unavailable as error:
        log.warning("result not recorded yet", job_id=result.job.job_id, error=str(error))
        raise ResultWaits from error


def files_of(artifacts: Path, keep_going: Callable[[], None]) -> tuple[SealedFile, ...]:
    """The first MAX_SEALED_FILES files by name, with size and SHA-256; the job's log, which may still grow, without.

    Raises OSError when a file is gone.
    """
    found = []
    for path in files_below(artifacts)[:MAX_SEALED_FILES]:
        keep_going()
        name = path.relative_to(artifacts).as_posix()
        with path.open("rb") as file:
            sha256 = None if name.startswith("logs/") else hashlib.file_digest(file, "sha256").hexdigest()
        found.append(SealedFile(path=name, size_bytes=path.stat().st_size, sha256=sha256))
    return tuple(found)


def left_out(verdict: Verdict) -> list[str]:
    """A sentence on the parts of a report that are not recorded; empty if all of it is."""
    if verdict.metrics is None:
        return []
    names = sorted(set(verdict.metrics.performance) - set(verdict.metrics.own_performance))
    if not names:
        return []
    listed = ", ".join(name[:80] for name in names[:MAX_NAMED]) + (" ..." if len(names) > MAX_NAMED else "")
    return [f"performance in metrics.json: {listed} left out; the platform measures this itself. Use another name."]


def add_log(artifacts: Path, job_log: Path) -> None:
    """Adds the log as an artifact beside the run's own files; the harvest left no file of this name there.

    The copy is renamed into place, so it is always whole: a paused recorder may go on while its successor uploads it.
    """
    (artifacts / "logs").mkdir(exist_ok=True)
    copy = artifacts.parent / f"log.{secrets.token_hex(4)}"
    try:
        shutil.copyfile(job_log, copy)
        copy.replace(artifacts / "logs" / job_log.name)
    finally:
        copy.unlink(missing_ok=True)
