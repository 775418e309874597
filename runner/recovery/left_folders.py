"""The folders of runs below the folder of jobs: those of running jobs, and those that nobody will need any more."""

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
"""One of a job that the ledger does not know belongs to no claim: it was emptied, or restored from before."""
NAME = re.compile(r"([0-9a-f]{32})(-[0-9a-z-]+)?")
"""Of a run's folder, of any version. Anything else is somebody's own, or its file system's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftFolders:
    """As they are there now."""

    job_root: Path
    job_of: Callable[[str], Job | None]

    def live(self) -> Iterator[tuple[Job, Path]]:
        """Each running job, with the folder of its run."""
        for job_id, path in self._there():
            job = self.job_of(job_id)
            if job is not None and job.state is JobState.RUNNING and run_name(job) == path.name:
                yield job, path

    def clear(self) -> Iterator[str]:
        """Removes those of runs that are over, and says which."""
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
    """Whether nobody will need this folder any more, unless somebody is about to say that it is his."""
    if job is None or job.state is JobState.PENDING:
        return True
    return job.is_final or (job.sandbox is not None and run_name(job) != folder)
