"""Reads what a run left, once its container is gone, into a folder of this reader's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.domain.hints import TAIL_CHARACTERS
from core.domain.job import Phase
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Stop
from core.ports.sandbox import Sandbox
from runner.job.attempt import Attempt
from runner.job.metrics_line import metrics_line
from runner.job_log.writer import LogWriter


def collect(attempt: Attempt, sandbox: Sandbox, record: RunRecord, submission: Submission) -> RunRecord:
    """Completes the record with what was found, and keeps the files; if another runner was first, its record wins.

    Nothing is read of a cancelled run. Raises LeaseLost, HandOver, RunLost, Unavailable, and OSError when the disk is
    full.
    """
    attempt.note(phase=Phase.COLLECTING)
    if record.stopped is Stop.CANCEL:
        return _kept(attempt, record, None)
    with attempt.folder.fresh_artifacts() as artifacts:
        found = _read(sandbox, record, artifacts, attempt.job_log)
        if found.exit_code == 0 and found.metrics is None and not found.metrics_elsewhere:
            folder = attempt.context.ports.storage.submission_files(submission.submission_id)
            found = replace(found, metrics_line=metrics_line(folder, submission))
        return _kept(attempt, found, artifacts)


def _read(sandbox: Sandbox, record: RunRecord, artifacts: Path, job_log: LogWriter) -> RunRecord:
    found = sandbox.harvest(artifacts)
    last_words = job_log.last_words(TAIL_CHARACTERS)
    for notice in found.notices:
        job_log.say(notice)
    late = Stop.LOG_LIMIT if job_log.over_limit else None
    return replace(
        record,
        metrics=found.metrics,
        metrics_problem=found.metrics_problem,
        metrics_elsewhere=found.metrics_elsewhere,
        output_full=found.output_full,
        last_words=last_words,
        stopped=record.stopped or late,
        peaks={**record.peaks, "output_bytes": found.output_bytes, "output_files": found.output_files},
    )


def _kept(attempt: Attempt, record: RunRecord, artifacts: Path | None) -> RunRecord:
    printed = float(attempt.job_log.printed_bytes)
    attempt.lease.confirm()
    return attempt.folder.harvest(replace(record, peaks={**record.peaks, "log_bytes": printed}), artifacts)
