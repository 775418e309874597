"""A log that is not this job's: set aside, never mixed with that of a job of the same id that is posted again.

The same request is the same id. Where an older ledger was restored, a job that is posted again finds the log of the one
that ran before.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from core.adapters.old_files import EARLIER
from core.domain.job import Job
from runner.job_log.writer import OWN

TAIL_BYTES = 64 * 1024
"""Longer than any last line of ours."""
END = f"{OWN}Ended: ".encode()
CHANNEL = b"\xff"
"""What may mark a line as ours."""


def set_earlier_aside(log: Path, job: Job, *, resumed: bool) -> bool:
    """Before a log is taken up for this job; whether there was another's. `resumed`: the job's own run is gone on with.

    Raises OSError.
    """
    if resumed or not log.exists() or not (_is_first_claim(job) or _has_ended(log)):
        return False
    aside = log.parent / EARLIER
    aside.mkdir(exist_ok=True)
    log.replace(aside / f"{log.stem}.{secrets.token_hex(4)}.log")
    return True


def _is_first_claim(job: Job) -> bool:
    """The ledger knows of no log, and of no run that a version without that record may have begun."""
    return not job.logged and job.sandbox is None and job.attempt == 1


def _has_ended(log: Path) -> bool:
    """A job that is begun now has not ended: its last line would not be there."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().splitlines()
    return bool(lines) and lines[-1].lstrip(CHANNEL).startswith(END)
