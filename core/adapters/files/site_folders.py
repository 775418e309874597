"""The site's folders that one process uses, all checked at the same time and in bounded time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.adapters.files.bounded_look import BoundedLook
from core.adapters.files.disk_space import disk_errors
from core.adapters.files.folder_look import MARK, FolderLook, UnusableFolder, read_mark
from core.domain.errors import StorageFull, Unavailable
from core.domain.folders import FolderState
from core.domain.job import JobState
from core.ports.folders import FoldersPort
from core.ports.job_status import JobStatusPort

MOST_RUNNING = 200
MOST_OPENINGS = 3


class SiteFolders:
    """Lives as long as its process; may be called from any thread."""

    def __init__(self, looks: Iterable[FolderLook]) -> None:
        self._looks = {one.name: (one, BoundedLook(look=one)) for one in looks}

    def states(self, *, anew: bool = False) -> Sequence[FolderState]:
        """The state of every folder; at most a moment old, or checked again with `anew`.

        Returns within the patience of one check, however many folders hang.
        """
        for _folder, bounded in self._looks.values():
            bounded.begin(anew=anew)
        return [self._answer(name) for name in self._looks]

    def fault(self) -> str | None:
        """The first folder that cannot be used now, and why, in words for an admin; every folder is checked again."""
        return next((state.words for state in self.states(anew=True) if state.fault), None)

    def is_foreign(self, name: str) -> bool:
        """Whether files written into this folder so far may be in another than the site's, by a check started now."""
        return name in self._looks and self._begun_now(name).foreign

    def check(self, *names: str, anew: bool = False) -> None:
        """Raises StorageFull or Unavailable, in words for a user, if one of these folders is unusable."""
        wanted = [name for name in names if name in self._looks]
        for name in wanted:
            self._looks[name][1].begin(anew=anew)
        for state in map(self._answer, wanted):
            _refuse_unusable(state)

    @contextmanager
    def opened(self, name: str, path: Path) -> Iterator[Path]:
        """A path to this folder that stays the same file system until it is left, also if that is unmounted meanwhile.

        What is missing in it is missing: a folder without its mark may be an unmounted one, and is checked and opened
        again. Raises StorageFull or Unavailable, as `check`, also if there is no folder at all.
        """
        for left in reversed(range(MOST_OPENINGS if name in self._looks else 1)):
            with disk_errors():
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                here = Path(f"/proc/self/fd/{descriptor}")
                if not left or (here / MARK).exists():
                    yield here
                    return
            finally:
                os.close(descriptor)
            _refuse_unusable(self._begun_now(name))

    def _begun_now(self, name: str) -> FolderState:
        """The answer of a check that started after this call."""
        _folder, bounded = self._looks[name]
        bounded.begin()
        bounded.answer()  # a check that is running may have started too early
        bounded.begin(anew=True)
        return self._answer(name)

    def _answer(self, name: str) -> FolderState:
        folder, bounded = self._looks[name]
        found = bounded.answer()
        if isinstance(found, FolderState):
            return found
        return FolderState(name=name, path=str(folder.path), fault=f"it has not answered for {int(found)} s")


def _refuse_unusable(state: FolderState) -> None:
    if state.full:
        raise StorageFull(f"The disk for {state.name} is full; an admin must make room.")
    if state.fault:
        raise Unavailable(f"The storage ({state.name})", state.fault)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ledger:
    """The questions that the checks ask the ledger."""

    job_status: JobStatusPort
    roots: Sequence[Path]
    """Folders whose marks can restore the name of a ledger that has lost it."""

    def site(self) -> str:
        return self.job_status.ledger_id(otherwise=next(_marks(self.roots), ""))

    def has_jobs(self) -> bool:
        return bool(self.job_status.list_jobs(limit=1).jobs)

    def has_completed(self) -> bool:
        return bool(self.job_status.list_jobs(state=JobState.COMPLETED, limit=1).jobs)

    def has_runs_on(self, host: str) -> bool:
        running = self.job_status.list_jobs(state=JobState.RUNNING, limit=MOST_RUNNING).jobs
        return any(job.host == host and job.sandbox for job in running)


def gateway_folders(job_status: JobStatusPort, known: FoldersPort, *, submissions: Path, logs: Path) -> SiteFolders:
    """The folders that the gateway writes."""
    ledger = _Ledger(job_status=job_status, roots=(submissions, logs))
    look = partial(FolderLook, owner="gateway", site=ledger.site, known=known)
    return SiteFolders(
        (
            look(name="submissions", path=submissions, expected=ledger.has_jobs),
            look(name="logs", path=logs, expected=ledger.has_completed),
        )
    )


def runner_folders(
    job_status: JobStatusPort, known: FoldersPort, *, host: str, submissions: Path, logs: Path, jobs: Path,
    benchmarks: Path,
) -> SiteFolders:  # fmt: skip
    """The folders that a runner of this host needs: those that it writes, and those that runs read."""
    ledger = _Ledger(job_status=job_status, roots=(logs, jobs, submissions))
    look = partial(FolderLook, owner=host, site=ledger.site, known=known)
    return SiteFolders(
        (
            look(name="logs", path=logs, expected=ledger.has_completed),
            look(name="jobs", path=jobs, expected=lambda: ledger.has_runs_on(host)),
            look(name="submissions", path=submissions, expected=ledger.has_jobs, writes=False),
            look(name="benchmarks", path=benchmarks, expected=ledger.has_jobs, writes=False, marked=False),
        )
    )


def _marks(roots: Sequence[Path]) -> Iterator[str]:
    for root in roots:
        with suppress(OSError, UnusableFolder):
            found = read_mark(root)
            if found:
                yield found
