"""Finds the folders of running jobs below the folder of jobs, and removes those that are not needed any more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.domain.job import Job, JobState
from runner.run_folder import RunFolder, run_name

SETTLED_SECONDS = 60.0
"""A folder younger than this may belong to a job that is being claimed right now."""
UNKNOWN_SECONDS = 10.0
"""The same for a job that the ledger does not know. No claim has its folder: the ledger was emptied or restored."""
NAME = re.compile(r"([0-9a-f]{32})(-[0-9a-z-]+)?")
"""A run's folder, of any version. Anything else belongs to an admin, or to the file system."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftFolders:
    """The folders as they are on disk now."""

    job_root: Path
    job_of: Callable[[str], Job | None]

    def live(self) -> Iterator[tuple[Job, Path]]:
        """Yields each running job with the folder of its run."""
        for job_id, path in self._there():
            job = self.job_of(job_id)
            if job is not None and job.state is JobState.RUNNING and run_name(job) == path.name:
                yield job, path

    def clear(self) -> Iterator[str]:
        """Removes the folders of runs that are over, and yields their names."""
        for job_id, path in self._there():
            if self._is_over(job_id, path):
                RunFolder(path=path).remove()
                yield path.name

    def _is_over(self, job_id: str, path: Path) -> bool:
        job = self.job_of(job_id)
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:  # another runner has just removed it
            return False
        settled = age > (SETTLED_SECONDS if job else UNKNOWN_SECONDS)
        return (settled and _is_past(job, path.name)) or (job is not None and job.is_final)

    def _there(self) -> list[tuple[str, Path]]:
        found = [(NAME.fullmatch(path.name), path) for path in self.job_root.iterdir()]
        return [(name[1], path) for name, path in found if name]


def _is_past(job: Job | None, folder: str) -> bool:
    """True if no live claim refers to this folder. One may be about to, so callers also wait SETTLED_SECONDS."""
    if job is None or job.state is JobState.PENDING:
        return True
    return job.is_final or (job.sandbox is not None and run_name(job) != folder)
