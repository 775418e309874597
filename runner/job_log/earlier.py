"""Sets aside the log of an earlier job, so that it is not mixed with that of a job of the same id that is posted again.

The same request has the same id. After an older ledger was restored, a job that is posted again finds the log of the
earlier one.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from core.adapters.files.old_files import EARLIER
from core.domain.job import Job
from core.domain.job_log import MARK, OWN

TAIL_BYTES = 64 * 1024
"""Longer than any last line of ours."""
END = b"Ended: "


def set_earlier_aside(log: Path, job: Job, *, resumed: bool) -> bool:
    """Moves another job's log away; returns whether there was one. Call before this job's log is opened.

    `resumed`: the job's own run goes on, so the log is its own. Raises OSError.
    """
    if resumed or not log.exists() or not (_is_first_claim(job) or _has_ended(log)):
        return False
    aside = log.parent / EARLIER
    aside.mkdir(exist_ok=True)
    log.replace(aside / f"{log.stem}.{secrets.token_hex(4)}.log")
    return True


def _is_first_claim(job: Job) -> bool:
    """True if the ledger knows of no log, and of no run by an older version, which did not note logs."""
    return not job.logged and job.sandbox is None and job.attempt == 1


def _has_ended(log: Path) -> bool:
    """Whether the log has a job's last line: a job that is begun now has not ended, so the log is not its own.

    In a log begun by an earlier version, lines of the platform have no mark; in any other, a run may print such a line.
    """
    with log.open("rb") as file:
        is_marked = file.read(len(MARK)) == MARK
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        last = file.read().removesuffix(b"\n").split(b"\n")[-1]
    return last.startswith(MARK + END) or (not is_marked and last.startswith(OWN.encode() + END))
