"""The files of a run, for its owner and for admins (JOB-7, JOB-10)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from core.domain.artifact_names import name_faults
from core.domain.errors import Fault, InvalidInput, NotFinished, NotFound
from core.domain.user import User
from core.ports.job_status import JobStatusPort
from core.ports.tracking import ArtifactContent, TrackingPort
from core.ports.trial_files import TrialFilesPort
from core.usecases.jobs import visible_job


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenArtifact:
    """Raises NotFound (the job, or the file), NotFinished, InvalidInput (invalid path), Unavailable."""

    job_status: JobStatusPort
    tracking: TrackingPort
    trial_files: TrialFilesPort

    def __call__(self, user: User, job_id: str, path: str) -> AbstractContextManager[ArtifactContent]:
        job = visible_job(self.job_status, user, job_id)
        if rules := name_faults(path):
            raise InvalidInput(*(Fault(field="path", rule=rule) for rule in rules))
        if not job.is_final:
            raise NotFinished(f"This job is {job.state}; its files are there when it has ended.")
        if job.trial:
            return self.trial_files.content(job_id, path)
        if job.run_id is None:
            raise NotFound("artifact", path)
        return self.tracking.artifact(job.run_id, path)
