"""GetProvenance: where a job's result comes from, as it was sealed with the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.applied_config import FILE
from core.domain.errors import NotFinished
from core.domain.job import Job, JobState
from core.domain.platform_names import CONFIG
from core.domain.provenance import NOT_NOTED, Provenance
from core.domain.sealed_result import SealedResult
from core.domain.user import User
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.usecases.jobs import visible_job

NO_RESULT = "this job did not complete, so nothing was sealed"
DAMAGED = "this job has no sealed result"
OF_A_TRIAL = "this was a trial, of which no origin is noted"
NOT_VERIFIED = "the platform did not compute these scores"
TOO_LARGE = f"it did not fit into the sealed result, or only cut; the run's file {FILE} has all of it"
NO_REQUIREMENTS = "nothing was installed for this run"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobProvenance:
    """What has to be the same for a second run to give the same; `unknown` has the reason for all that is missing."""

    job_id: str
    result_sha256: str | None = None
    """Of the sealed result that all of this is a part of."""
    code_sha256: str | None = None
    image_digest: str | None = None
    requirements: str | None = None
    """The key of the packages that were installed from the submission's requirements.txt."""
    device: str | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    """The config with its overrides, flattened; bounded."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    config_sha256: str | None = None
    config_file_sha256: str | None = None
    seed: str | None = None
    data_sha256: str | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    runner_version: str | None = None
    scorer: str | None = None
    labels_sha256: str | None = None
    predictions_sha256: str | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class GetProvenance:
    """Raises NotFound, NotFinished, Unavailable (for the ledger; MLflow is not asked)."""

    job_status: JobStatusPort
    results: ResultsPort

    def __call__(self, user: User, job_id: str) -> JobProvenance:
        job = visible_job(self.job_status, user, job_id)
        if not job.is_final:
            raise NotFinished(f"This job is {job.state}; where its result comes from is known when it has ended.")
        recorded = self.results.get(job_id) if job.state is JobState.COMPLETED else None
        if recorded is None:
            why = DAMAGED if job.state is JobState.COMPLETED else NO_RESULT
            return JobProvenance(job_id=job_id, overrides=job.overrides, unknown={"all": why})
        return provenance_of(job, recorded.result, recorded.sha256)


def provenance_of(job: Job, result: SealedResult, sha256: str) -> JobProvenance:
    """All parts of a sealed result that say where it comes from."""
    noted = result.provenance or Provenance(unknown={"all": OF_A_TRIAL if job.trial else NOT_NOTED})
    tag = {name: result.tags.get(f"leadersboard.{name}") for name in ("code_sha256", "image_digest", "device")}
    requirements = result.tags.get("leadersboard.dependencies")
    proof = result.proof
    why = {
        "requirements": None if requirements else NO_REQUIREMENTS,
        "scorer": None if proof else NOT_VERIFIED,
        "config": TOO_LARGE if {"params", "long params"} & set(result.left_out) else None,
    }
    return JobProvenance(
        job_id=job.job_id,
        result_sha256=sha256,
        **tag,
        requirements=requirements,
        config={name.removeprefix(CONFIG): text for name, text in result.params.items() if name.startswith(CONFIG)},
        overrides=job.overrides,
        config_sha256=noted.config_sha256,
        config_file_sha256=noted.config_file_sha256,
        seed=noted.seed,
        data_sha256=noted.data_sha256,
        libraries=noted.libraries,
        versions=noted.versions,
        limits=noted.limits,
        runner_version=noted.runner_version,
        scorer=proof.scorer if proof else None,
        labels_sha256=proof.labels_sha256 if proof else None,
        predictions_sha256=proof.predictions_sha256 if proof else None,
        unknown={**noted.unknown, **{name: reason for name, reason in why.items() if reason}},
    )
