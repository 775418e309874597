"""Whether this process takes new jobs now, why not, and which it has in hand; the runs that it has go on regardless."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.domain.errors import LeadersboardError
from core.domain.folders import FolderState
from core.domain.runners import RunnerState, Wish
from core.ports.runners import RunnersPort

ANY_ORPHAN = ""
"""No class has this name: who claims it gets only runs of this host that lost their runner."""
WRITTEN = frozenset({"logs", "jobs"})
"""The folders that a run's files go to."""
Standing = tuple[RunnerState, str | None]


def worker_name() -> str:
    """This process's own: its machine's name and its number."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(kw_only=True)
class Duty:
    """Lives as long as its process; asked before each claim and told in each report."""

    name: str
    host: str
    runners: RunnersPort
    check_engine: Callable[[], None]
    folders: Callable[[], Sequence[FolderState]]
    """How the folders that runs need stand now, asked in bounded time."""
    min_free_bytes: int
    """Of the disk under the logs and the jobs: below it no run is begun."""
    draining: threading.Event
    """Set when the process was asked to end."""
    too_old: Callable[[], str | None] = lambda: None
    """Why its engine's version lets no job begin here, as it is now. Raises Unavailable."""
    refusal: str | None = None
    """Why the canary wants no job to run here."""
    jobs: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """What an admin wanted of an earlier process of this name ended with that. Raises Unavailable."""
        self.runners.set_wish(self.name, Wish.RUN)

    @contextmanager
    def holding(self, job_id: str) -> Iterator[None]:
        self.jobs.add(job_id)
        try:
            yield
        finally:
            self.jobs.discard(job_id)

    def takes_new(self) -> bool:
        """Raises Unavailable when nobody can say."""
        return self.standing()[0] is RunnerState.READY

    def standing(self) -> Standing:
        """What it does about new jobs, and why not. Raises Unavailable."""
        if self.draining.is_set():
            return self._emptied("it was asked to stop")
        wish = self.runners.wish(self.name, self.host)
        if wish is Wish.DRAIN:
            return self._emptied("an admin drains it")
        if wish is Wish.PAUSE:
            return RunnerState.PAUSED, "an admin paused it"
        return self._hindered() or (RunnerState.READY, None)

    def _emptied(self, why: str) -> Standing:
        return (RunnerState.DRAINING if self.jobs else RunnerState.DRAINED), why

    def storage_fault(self) -> str | None:
        """Why neither a new job nor a run that lost its runner may be taken up here now; None when they may."""
        return _fault(self.folders())

    def _hindered(self) -> Standing | None:
        folders = self.folders()
        if fault := _fault(folders):
            return RunnerState.NO_STORAGE, fault[:300]
        if self.refusal:
            return RunnerState.REFUSED, self.refusal[:300]
        for state in folders:
            if state.name in WRITTEN and state.free_bytes is not None and state.free_bytes < self.min_free_bytes:
                return RunnerState.DISK_LOW, f"less than {self.min_free_bytes} bytes are free for {state.name}"
        try:
            self.check_engine()
            old = self.too_old()
        except LeadersboardError as error:
            return RunnerState.NO_ENGINE, str(error)[:300]
        return (RunnerState.REFUSED, old[:300]) if old else None


def _fault(folders: Sequence[FolderState]) -> str | None:
    return next((state.words for state in folders if state.fault), None)
