"""Reads what a run left, once its container is gone, into a folder of this reader's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.domain.verdict import RunRecord, Stop
from core.ports.sandbox import Sandbox
from runner.job_log.writer import LogWriter
from runner.run_folder import RunFolder


@contextmanager
def collected(
    sandbox: Sandbox, record: RunRecord, folder: RunFolder, job_log: LogWriter
) -> Iterator[tuple[RunRecord, Path | None]]:
    """Yields the record with what was found, and the files, which are removed at the end unless they became the run's.

    Nothing is read of a cancelled run. Raises RunLost, Unavailable, and OSError when the disk is full.
    """
    if record.stopped is Stop.CANCEL:
        yield _with_log(record, job_log), None
        return
    with folder.fresh_artifacts() as artifacts:
        found = sandbox.harvest(artifacts)
        for notice in found.notices:
            job_log.say(notice)
        late = Stop.LOG_LIMIT if job_log.over_limit else None
        record = replace(
            record,
            metrics=found.metrics,
            metrics_problem=found.metrics_problem,
            output_full=found.output_full,
            stopped=record.stopped or late,
            peaks={**record.peaks, "output_bytes": found.output_bytes, "output_files": found.output_files},
        )
        yield _with_log(record, job_log), artifacts


def _with_log(record: RunRecord, job_log: LogWriter) -> RunRecord:
    return replace(record, peaks={**record.peaks, "log_bytes": float(job_log.printed_bytes)})
