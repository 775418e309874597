"""CompareRerun: whether a job that repeats another one has its result, and what differs in where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.domain.benchmark import MetricRule
from core.domain.errors import NotFound, Unavailable
from core.domain.job import Job, JobState
from core.domain.rerun import Agreement, MetricChange, changes, holds
from core.domain.user import User
from core.ports.benchmarks import BenchmarkPort
from core.ports.job_status import JobStatusPort
from core.ports.results import Recorded, ResultsPort
from core.usecases.get_provenance import JobProvenance, provenance_of
from core.usecases.jobs import visible_job

SINGLE = (
    "code_sha256", "image_digest", "requirements", "config_sha256", "seed", "data_sha256", "device", "runner_version",
    "scorer", "labels_sha256",
)  # fmt: skip
SEVERAL = ("libraries", "versions", "limits")
MOST_NAMED = 5
GONE = (
    "Job {job}, which this one repeats, is not on this site any more, since its record ended or was removed, or it is "
    "another user's: there is nothing to compare. An admin can pin a job that is to stay."
)
NOT_COMPLETED = "Job {job}, which this one repeats, is {state}: it has no result to compare."
NO_SEAL = "Of job {job}, which this one repeats, no result is sealed, so there is nothing to compare."
OLD_TRIAL = "Job {job}, which this one repeats, was a trial on a few pictures: its figures are not compared."
NEW_TRIAL = "This is a trial on a few pictures: its figures are not compared."
NOT_REPEATED = "This job did not complete, so it has no result to compare with that of job {job}."
NOTHING_DECIDES = "No metric of the benchmark is in either result, so nothing says whether it holds."


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginChange:
    """A part of where a result comes from that differs; None is what was not noted."""

    part: str
    """E.g. `image_digest`, `libraries.torch`."""
    old: str | None
    new: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rerun:
    """A job beside the one that it repeats."""

    of: str
    holds: bool | None
    """Whether the old result is repeated; None if that cannot be said, and `words` say why."""
    words: str
    metrics: Sequence[MetricChange] = ()
    origins: Sequence[OriginChange] = ()
    """What differs in where both results come from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareRerun:
    """None for a job that repeats no other. Raises NotFound for the job itself, Unavailable for the ledger."""

    job_status: JobStatusPort
    results: ResultsPort
    benchmarks: BenchmarkPort

    def __call__(self, user: User, job_id: str) -> Rerun | None:
        job = visible_job(self.job_status, user, job_id)
        if job.rerun_of is None:
            return None
        nothing = Rerun(of=job.rerun_of, holds=None, words="")
        if job.trial:
            return replace(nothing, words=NEW_TRIAL)
        try:
            old = visible_job(self.job_status, user, job.rerun_of)
        except NotFound:
            return replace(nothing, words=GONE.format(job=job.rerun_of))
        if words := _why_not(old, job):
            return replace(nothing, words=words)
        before, after = self.results.get(old.job_id), self.results.get(job.job_id)
        if before is None or after is None:
            return replace(nothing, words=NO_SEAL.format(job=old.job_id))
        return self._compared(old, before, job, after)

    def _compared(self, old: Job, before: Recorded, job: Job, after: Recorded) -> Rerun:
        found = changes(before.result.metrics, after.result.metrics, self._rules(job.benchmark))
        origins = _origins(
            provenance_of(old, before.result, before.sha256), provenance_of(job, after.result, after.sha256)
        )
        return Rerun(of=old.job_id, holds=holds(found), words=_words(found), metrics=found, origins=tuple(origins))

    def _rules(self, benchmark: str) -> Sequence[MetricRule] | None:
        try:
            return self.benchmarks.get(benchmark).metrics
        except (NotFound, Unavailable):
            return None


def _why_not(old: Job, job: Job) -> str:
    """Why the two are not compared; empty if they can be."""
    if old.trial:
        return OLD_TRIAL.format(job=old.job_id)
    if job.state is not JobState.COMPLETED:
        return NOT_REPEATED.format(job=old.job_id)
    if old.state is not JobState.COMPLETED:
        return NOT_COMPLETED.format(job=old.job_id, state=old.state)
    return ""


def _words(found: Sequence[MetricChange]) -> str:
    verdict = holds(found)
    if verdict is None:
        return NOTHING_DECIDES
    decided = [change for change in found if change.holds is not None]
    if not verdict:
        named = [change.name for change in decided if not change.holds]
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        return f"The result does not hold. Other than before: {', '.join(named[:MOST_NAMED])}{more}."
    if all(change.agreement is Agreement.EQUAL for change in decided):
        return "The result holds: every metric of the benchmark is equal."
    return "The result holds: every metric of the benchmark is equal or within its tolerance."


def _origins(old: JobProvenance, new: JobProvenance) -> Iterator[OriginChange]:
    for part in SINGLE:
        before, after = getattr(old, part), getattr(new, part)
        if before != after:
            yield OriginChange(part=part, old=before, new=after)
    for part in SEVERAL:
        before, after = getattr(old, part), getattr(new, part)
        if bool(before) != bool(after):
            yield OriginChange(part=part, old="noted" if before else None, new="noted" if after else None)
            continue
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                yield OriginChange(part=f"{part}.{name}", old=before.get(name), new=after.get(name))
