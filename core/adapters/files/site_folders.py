"""The folders of the site that one process uses, all looked at at once and in bounded time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.adapters.files.bounded_look import BoundedLook
from core.adapters.files.folder_look import FolderLook, UnusableFolder, read_mark
from core.domain.errors import StorageFull, Unavailable
from core.domain.folders import FolderState
from core.domain.job import JobState
from core.ports.folders import FoldersPort
from core.ports.job_status import JobStatusPort

MOST_RUNNING = 200


class SiteFolders:
    """Lives as long as its process; may be asked from any thread."""

    def __init__(self, looks: Iterable[FolderLook]) -> None:
        self._looks = {one.name: (one, BoundedLook(look=one)) for one in looks}

    def states(self, *, anew: bool = False) -> Sequence[FolderState]:
        """Every folder as it stands now, or stood a moment ago unless it is looked at anew.

        Answers within the patience of one look, however many hang.
        """
        for _folder, bounded in self._looks.values():
            bounded.begin(anew=anew)
        return [self._answer(name) for name in self._looks]

    def fault(self) -> str | None:
        """The first folder that cannot be used now and why, in words for an admin; each is looked at anew."""
        return next((state.words for state in self.states(anew=True) if state.fault), None)

    def is_foreign(self, name: str) -> bool:
        """Whether what was written into this folder until now may lie in another than the site's. Looks from now on."""
        if name not in self._looks:
            return False
        _folder, bounded = self._looks[name]
        bounded.begin()
        bounded.answer()  # a look that is under way may have begun before
        bounded.begin(anew=True)
        return self._answer(name).foreign

    def check(self, *names: str, anew: bool = False) -> None:
        """Raises StorageFull or Unavailable, in words for a user, when one of these is unusable."""
        wanted = [name for name in names if name in self._looks]
        for name in wanted:
            self._looks[name][1].begin(anew=anew)
        for state in map(self._answer, wanted):
            if state.full:
                raise StorageFull(f"The disk for {state.name} is full; an admin must make room.")
            if state.fault:
                raise Unavailable(f"The storage ({state.name})", state.fault)

    def _answer(self, name: str) -> FolderState:
        folder, bounded = self._looks[name]
        found = bounded.answer()
        if isinstance(found, FolderState):
            return found
        return FolderState(name=name, path=str(folder.path), fault=f"it has not answered for {int(found)} s")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ledger:
    """What the looks ask of the ledger."""

    job_status: JobStatusPort
    roots: Sequence[Path]
    """Whose marks may name the site of a ledger that has lost its own name."""

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
    """Those that the gateway writes."""
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
    """Those that a runner of this host needs: what it writes, and what runs read."""
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
