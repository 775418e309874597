"""A log that is not this job's: set aside, never mixed with that of a job of the same id that is posted again.

The same request is the same id. Where an older ledger was restored, a job that is posted again finds the log of the one
that ran before.
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
    """A job that is begun now has not ended: its last line would not be there.

    Lines of the platform have no mark where an earlier version began the log; in any other, a run may print the same.
    """
    with log.open("rb") as file:
        is_marked = file.read(len(MARK)) == MARK
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        last = file.read().removesuffix(b"\n").split(b"\n")[-1]
    return last.startswith(MARK + END) or (not is_marked and last.startswith(OWN.encode() + END))
