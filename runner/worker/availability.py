"""Whether this process takes new jobs now, or why not, and which jobs it holds; those go on regardless."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.domain.errors import LeadersboardError
from core.domain.folders import FolderState
from core.domain.runners import RunnerState, Wish
from core.ports.runners import RunnersPort

ANY_ORPHAN = ""
"""The name of no class: a claim of it yields only runs of this host that lost their runner."""
WRITTEN = frozenset({"logs", "jobs"})
"""The folders that a run's files go to."""
Reasoned = tuple[RunnerState, str | None]
"""A state, and why the process takes no new jobs; None if it takes them."""


@dataclass(kw_only=True)
class Availability:
    """Lives as long as its process; checked before each claim, and part of each report."""

    name: str
    host: str
    runners: RunnersPort
    check_engine: Callable[[], None]
    folders: Callable[[], Sequence[FolderState]]
    """The state of the folders that runs need, read in bounded time."""
    min_free_bytes: int
    """Free bytes of the disks for logs and jobs below which no run is begun."""
    draining: threading.Event
    """Set when the process was asked to end."""
    too_old: Callable[[], str | None] = lambda: None
    """Why the engine's present version lets no job begin here; None if it does. Raises Unavailable."""
    refusal: str | None = None
    """Why the canary lets no job run here."""
    jobs: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Clears an admin's wish for an earlier process of this name. Raises Unavailable."""
        self.runners.set_wish(self.name, Wish.RUN)

    @contextmanager
    def holding(self, job_id: str) -> Iterator[None]:
        self.jobs.add(job_id)
        try:
            yield
        finally:
            self.jobs.discard(job_id)

    def takes_new(self) -> bool:
        """Whether new jobs are taken by a process whose engine has just answered: that is not asked again.

        Raises Unavailable when the ledger does not answer, or the engine does not say its version.
        """
        return self._withheld() is None and self.too_old() is None

    def state(self) -> Reasoned:
        """The state with regard to new jobs, and the reason unless it takes them. Raises Unavailable."""
        return self._withheld() or self._without_engine() or (RunnerState.READY, None)

    def _withheld(self) -> Reasoned | None:
        """Why no new job is taken, whatever the engine answers."""
        if self.draining.is_set():
            return self._emptied("it was asked to stop")
        wish = self.runners.wish(self.name, self.host)
        if wish is Wish.DRAIN:
            return self._emptied("an admin drains it")
        if wish is Wish.PAUSE:
            return RunnerState.PAUSED, "an admin paused it"
        return self._hindered()

    def _emptied(self, why: str) -> Reasoned:
        return (RunnerState.DRAINING if self.jobs else RunnerState.DRAINED), why

    def storage_fault(self) -> str | None:
        """Why no new job, and no run that lost its runner, may be taken up here now; None when they may."""
        return _fault(self.folders())

    def _hindered(self) -> Reasoned | None:
        folders = self.folders()
        if fault := _fault(folders):
            return RunnerState.NO_STORAGE, fault[:300]
        if self.refusal:
            return RunnerState.REFUSED, self.refusal[:300]
        for state in folders:
            if state.name in WRITTEN and state.free_bytes is not None and state.free_bytes < self.min_free_bytes:
                return RunnerState.DISK_LOW, f"less than {self.min_free_bytes} bytes are free for {state.name}"
        return None

    def _without_engine(self) -> Reasoned | None:
        try:
            self.check_engine()
            old = self.too_old()
        except LeadersboardError as error:
            return RunnerState.NO_ENGINE, str(error)[:300]
        return (RunnerState.REFUSED, old[:300]) if old else None


def _fault(folders: Sequence[FolderState]) -> str | None:
    return next((state.words for state in folders if state.fault), None)
