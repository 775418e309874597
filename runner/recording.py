"""What of a passed run is recorded: its metrics, our own figures, tags that tell where it came from, and its log."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.domain.job import Job
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Verdict
from core.ports.tracking import Result


def result_of(
    job: Job, verdict: Verdict, record: RunRecord, submission: Submission, *, device: str, dependencies: str = ""
) -> Result:
    """The result of a run that passed, without its artifacts."""
    if verdict.metrics is None:
        raise ValueError("only a passed run is recorded")
    return Result(
        job=replace(job, finished_at=datetime.now(UTC)),
        metrics=verdict.metrics,
        measured=record.peaks,
        tags={
            "leadersboard.code_sha256": submission.sha256,
            "leadersboard.image_digest": record.image_digest,
            "leadersboard.device": device,
            "leadersboard.resource_class": job.resource_class,
        }
        | ({"leadersboard.dependencies": dependencies} if dependencies else {}),
    )


def add_log(artifacts: Path, job_log: Path) -> None:
    """The log becomes an artifact beside the run's own files; the harvest left no file of this name there."""
    (artifacts / "logs").mkdir(exist_ok=True)
    shutil.copyfile(job_log, artifacts / "logs" / job_log.name)
