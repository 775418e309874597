"""The sweeper's steps for files: last lines of logs, run folders, temporary files, what dead processes left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.adapters.files.trial_files import TrialFiles
from core.domain.job import Job
from core.domain.limits import ResourceClass
from core.ports.sandbox import SandboxPort
from runner.data_manifest import clear_manifests
from runner.job_log.final_line import say_end
from runner.lease.claim_locks import ClaimLocks
from runner.recovery.janitor import Janitor
from runner.recovery.left_folders import LeftFolders
from runner.recovery.overdue import OverdueRuns
from runner.recovery.repairs import Mended
from runner.recovery.temporary_files import TemporaryFiles
from runner.trial_data import TrialData

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSteps:
    """Each step may be repeated. Raises OSError, and Unavailable when the ledger or the engine does not answer."""

    engine: SandboxPort
    """Asked for what the files say of its runs."""
    claim_locks: ClaimLocks
    janitor: Janitor
    job_of: Callable[[str], Job | None]
    is_held: Callable[[str], bool]
    """Whether a living lease on this job is known."""
    host: str
    resource_classes: Mapping[str, ResourceClass]
    job_root: Path
    log_root: Path
    in_hand: Collection[str]
    """The jobs that this process holds."""
    trial_files: TrialFiles
    ended: deque[Job]
    """Jobs that the ledger ended and whose logs have no last line yet."""
    mended: Mended

    def last_lines(self) -> None:
        """BOX-10, also when no runner is left to write it. A disk that hangs holds up only this step."""
        with suppress(IndexError):  # another thread may have been waiting for the disk in the first sweep
            while True:
                say_end(self.log_root, self.ended.popleft())

    def overdue(self) -> None:
        """Ends runs past their time that no runner watches; the next runner finds the reason."""
        overdue = OverdueRuns(
            engine=self.engine, host=self.host, resource_classes=self.resource_classes, is_held=self.is_held,
            in_hand=self.in_hand,
        )  # fmt: skip
        for job_id in overdue.end(self._run_folders.live()):
            self.mended("overdue run", job_id)

    def folders(self) -> None:
        """Removes the folders of runs that are over."""
        for name in self._run_folders.clear():
            self.mended("folder", name)

    def temporary(self) -> None:
        """Removes copies of logs and lock files that never got their name."""
        files = TemporaryFiles(claim_locks=self.claim_locks, log_root=self.log_root)
        for name in files.clear(lambda job_id: (job := self.job_of(job_id)) is None or job.is_final):
            self.mended("temporary file", name=name)

    def trials(self) -> None:
        """Removes the files of old trials, the data that no trial uses any more, and hashes of unused data."""
        for name in (*self.trial_files.remove_old(), *TrialData(job_root=self.job_root).clear()):
            log.info("trial removed", name=name)
        for name in clear_manifests(self.job_root):
            log.info("hash of unused data removed", name=name)

    def of_dead_processes(self) -> None:
        """Removes what ended processes of this host left, in the engine, too."""
        self._count(self.janitor.of_the_dead())

    def canaries(self) -> None:
        """Removes by age what carries no known process."""
        self._count(self.janitor.old())

    def _count(self, cleared: Iterator[tuple[str, int]]) -> None:
        for what, things in cleared:
            if things:
                self.mended(what, things=things)

    @property
    def _run_folders(self) -> LeftFolders:
        return LeftFolders(job_root=self.job_root, job_of=self.job_of)
