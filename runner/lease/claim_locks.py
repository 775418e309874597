"""A locked file for each claim that a process of this host holds; the kernel unlocks it when the process ends.

So other runners see at once that a runner was killed, and its jobs need not wait for their leases to run out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.domain.job import MARK_LENGTH, Claim
from runner.lease.process_locks import hold, is_free

FOLDER = ".held"


class ClaimLocks:
    """The files of one host, below the folder of jobs. Of other hosts' files only `clear_foreign` removes any."""

    def __init__(self, job_root: Path, host: str) -> None:
        self._folder = job_root / FOLDER
        self._host = host

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Keeps a file for the claim. It is locked before it has its name: unlocked means that this process is gone.

        On storage without locks there is no file, and only leases show that a process is gone.
        """
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{self._host}-{claim.job_id}-{claim.mark}"
        file = hold(path)
        try:
            yield
            path.unlink(missing_ok=True)
        finally:
            if file is not None:
                os.close(file)

    def dead(self) -> Iterator[tuple[str, str]]:
        """Yields the job id and mark of each claim whose process is gone, and removes its file."""
        for path in self._folder.glob(f"{self._host}-*"):
            if is_free(path):
                job_id, mark = path.name.removeprefix(f"{self._host}-").split("-")
                yield job_id, mark[:MARK_LENGTH]
                path.unlink(missing_ok=True)

    def clear_foreign(self, is_over: Callable[[str], bool], *, older_than: float) -> Iterator[str]:
        """Removes other hosts' files of jobs that are over, and yields their names: a wiped engine has another name."""
        for path in self._folder.glob("[!.]*-*-*"):
            host, job_id, _mark = path.name.rsplit("-", 2)
            if host != self._host and _is_older(path, older_than) and is_over(job_id):
                path.unlink(missing_ok=True)
                yield path.name

    def clear_unnamed(self, *, older_than: float) -> Iterator[str]:
        """Removes files that ended processes had not named yet, and yields their names; younger ones may be in use."""
        for path in self._folder.glob(f".{self._host}-*"):
            with suppress(FileNotFoundError):  # its process has just ended by itself
                if path.stat().st_mtime < time.time() - older_than and is_free(path):
                    path.unlink()
                    yield path.name


def _is_older(path: Path, seconds: float) -> bool:
    try:
        return path.stat().st_mtime < time.time() - seconds
    except FileNotFoundError:  # its process has just ended by itself
        return False
