"""What of a passed run is recorded: its metrics, our own figures, tags that tell where it came from, and its log."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.domain.job import Job
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Verdict
from core.ports.tracking import Result


def result_of(
    job: Job, verdict: Verdict, record: RunRecord, submission: Submission, *, artifacts: Path, facts: Mapping[str, str]
) -> Result:
    """The result of a run that passed; each of the facts becomes a tag."""
    if verdict.metrics is None:
        raise ValueError("only a passed run is recorded")
    told = {
        "code_sha256": submission.sha256,
        "image_digest": record.image_digest,
        "resource_class": job.resource_class,
        **{name: value for name, value in facts.items() if value},
    }
    return Result(
        job=replace(job, finished_at=job.finished_at or datetime.now(UTC)),
        metrics=verdict.metrics,
        measured=record.peaks,
        tags={f"leadersboard.{name}": value for name, value in told.items()},
        artifacts=artifacts,
    )


def add_log(artifacts: Path, job_log: Path) -> None:
    """The log becomes an artifact beside the run's own files; the harvest left no file of this name there.

    Whole at every moment: a recorder that was paused here may wake while its successor uploads the file.
    """
    (artifacts / "logs").mkdir(exist_ok=True)
    copy = artifacts.parent / f"log.{secrets.token_hex(4)}"
    try:
        shutil.copyfile(job_log, copy)
        copy.replace(artifacts / "logs" / job_log.name)
    finally:
        copy.unlink(missing_ok=True)
