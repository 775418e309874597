"""The last lines of a job's log; also written when the ledger ended the job, without a runner that could write them."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import structlog

from core.domain.job import Job, Outcome
from core.domain.job_log import LINE_BYTES, own_line

TAIL_BYTES = LINE_BYTES + 1

log = structlog.get_logger(__name__)


def last_lines(job: Job, outcome: Outcome) -> tuple[str, ...]:
    """What of the report does not count, whether the run is (or would be) ranked, and how the job ended."""
    end = f"Ended: {outcome.state}{': ' + outcome.message if outcome.message else ''}"
    if outcome.ranked is None:
        return (*outcome.notes, end)
    ranked = ("Would be ranked", "Would not be ranked") if job.trial else ("Ranked", "Not ranked")
    place = f"{ranked[not outcome.ranked]} on {job.benchmark}"
    place += "." if outcome.ranked else f": {outcome.unranked_because}."
    recorded = ("This was a trial: nothing was recorded.",) if job.trial else ()
    return (*outcome.notes, place, *recorded, end)


def say_end(logs: Path, job: Job) -> None:
    """Appends how the job ended to its log in this folder. Does nothing if the log says so already, or is not there.

    A copy replaces the file, so a writer that was only paused goes on in a file without a name. Never raises for a disk
    that cannot be written.
    """
    path = logs / f"{job.job_id}.log"
    end = f"Ended: {job.state}"
    line = own_line(f"{end}: {job.error_message}" if job.error_message else end)
    try:
        tail = _tail(path)
        if not tail.removesuffix(b"\n").split(b"\n")[-1].startswith(own_line(end).removesuffix(b"\n")):
            _append(path, (b"" if tail[-1:] in {b"", b"\n"} else b"\n") + line)
    except FileNotFoundError:  # it never began, or another host keeps it
        return
    except OSError as error:
        log.warning("last line not written", job_id=job.job_id, error=str(error))


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read()


def _append(path: Path, line: bytes) -> None:
    copy = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        shutil.copyfile(path, copy)
        with copy.open("ab") as file:
            file.write(line)
        copy.chmod(0o640)
        copy.replace(path)
    finally:
        copy.unlink(missing_ok=True)
