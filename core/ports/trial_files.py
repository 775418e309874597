"""The files that trials leave: kept by the platform itself for a short time, never at the tracking server."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from core.ports.tracking import ArtifactContent


class TrialFilesPort(Protocol):
    """All methods raise Unavailable when the storage cannot be used."""

    def are_kept(self, job_id: str) -> bool:
        """Whether the files of this trial are still there."""
        ...

    def content(self, job_id: str, path: str) -> AbstractContextManager[ArtifactContent]:
        """One of its files, by a path that obeys `name_faults`. Raises NotFound."""
        ...
