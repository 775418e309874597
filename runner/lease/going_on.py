"""Whether this runner goes on with a job that it holds, and the ways in which it leaves one."""

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
    """Raised when this runner is asked to stop while a job still runs: another one takes it."""


class Cancelled(Exception):
    """Raised when somebody cancels a job that waits for a device, or for its result to be recorded."""


class NeverStarted(Exception):
    """Raised when the runner before us ended while it was launching the run: nothing of the submission has run."""


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
    """Wait until the ledger has just said that the job is ours. Raises LeaseLost or HandOver.

    Before each step that cannot be taken back: an outage of the ledger may outlast the lease, and whoever claims the
    job first when it is over need not be who ran it until then.
    """
    while not pulse.refresh():
        if stopping.wait(RETRY_SECONDS):
            raise HandOver
    pulse.check()


def told(step: Callable[[], AnswerT], pulse: Heartbeat, stopping: threading.Event) -> AnswerT:
    """What the ledger must know, repeated while it is away and the job is ours. Raises LeaseLost or HandOver."""
    while True:
        try:
            return step()
        except Unavailable as error:
            log.warning("ledger not told yet", job_id=pulse.job_id, error=str(error))
            pulse.check()
            if stopping.wait(RETRY_SECONDS):
                raise HandOver from error


def await_own(folders: SiteFolders, name: str, pulse: Heartbeat, stopping: threading.Event) -> None:
    """While another folder is in the place of the site's, e.g. because that is not mounted: what is there will be lost.

    Raises LeaseLost or HandOver.
    """
    while folders.is_foreign(name):
        go_on(pulse, stopping)
        stopping.wait(RETRY_SECONDS)
