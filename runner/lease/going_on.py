"""Checks whether this runner may go on with a job, and the exceptions by which it leaves one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from core.adapters.files.site_folders import SiteFolders
from core.domain.errors import Unavailable
from runner.lease.heartbeat import Heartbeat

RETRY_SECONDS = 1.0

AnswerT = TypeVar("AnswerT")
log = structlog.get_logger(__name__)


class HandOver(Exception):
    """Raised when this runner is asked to stop while a job still runs: another runner takes it over."""


class Cancelled(Exception):
    """Raised when a job is cancelled while it waits for a device, or for its result to be recorded."""


class NeverStarted(Exception):
    """Raised when an earlier runner ended while it was launching the run: nothing of the submission has run."""


class ResultWaits(Exception):
    """Raised when the tracking server is away: the result stays on disk until it answers."""


def go_on(pulse: Heartbeat, stopping: threading.Event) -> None:
    """Raises LeaseLost or HandOver when this runner must not go on. A cancel is obeyed before a hand-over."""
    pulse.check()
    if stopping.is_set():
        pulse.refresh()
        pulse.check()
        if not pulse.cancelled:
            raise HandOver


def be_sure(pulse: Heartbeat, stopping: threading.Event) -> None:
    """Waits until the ledger confirms that this runner holds the job. Raises LeaseLost or HandOver.

    Call before every irreversible step. An outage of the ledger can outlast the lease; another runner may then hold
    the job.
    """
    while not pulse.refresh():
        if stopping.wait(RETRY_SECONDS):
            raise HandOver
    pulse.check()


def told(step: Callable[[], AnswerT], pulse: Heartbeat, stopping: threading.Event) -> AnswerT:
    """Repeats a call to the ledger until it answers, and returns the answer. Raises LeaseLost or HandOver."""
    while True:
        try:
            return step()
        except Unavailable as error:
            log.warning("ledger not told yet", job_id=pulse.job_id, error=str(error))
            pulse.check()
            if stopping.wait(RETRY_SECONDS):
                raise HandOver from error


def await_own(folders: SiteFolders, name: str, pulse: Heartbeat, stopping: threading.Event) -> None:
    """Waits while another folder stands in for the site's, e.g. because that is not mounted: files there would be lost.

    Raises LeaseLost or HandOver.
    """
    while folders.is_foreign(name):
        go_on(pulse, stopping)
        stopping.wait(RETRY_SECONDS)
