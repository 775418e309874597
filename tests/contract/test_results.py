"""Sealed results' contract, one text for the twin in memory and for a real Redis (DOR-3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis

from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.old_records import RedisOldRecords
from core.adapters.redis.results import RedisResults
from core.domain.errors import LeaseLost
from core.domain.job import Claim, Job, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.proof import Proof
from core.domain.sealed_result import SealedFile, SealedFrom, SealedResult
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from tests.builders import NOON, request
from tests.twins.job_status import MemoryJobStatus
from tests.twins.results import MemoryResults

pytestmark = pytest.mark.contract

LIMITS = UserLimits(jobs_per_hour=99)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A ledger and its results."""

    jobs: JobStatusPort
    results: ResultsPort

    def claimed(self, **changes: Any) -> Claim:
        self.jobs.admit(request(**changes), LIMITS)
        claim = self.jobs.claim("small", worker="w", lease_seconds=60, running_limit=9)
        assert claim is not None
        return claim

    def completed(self, *, sealed: bool = True, **changes: Any) -> tuple[Job, SealedResult]:
        claim = self.claimed(**changes)
        result = result_of(claim.job)
        outcome = Outcome(state=JobState.COMPLETED, run_id=result.run_id)
        return self.jobs.finish(claim, outcome, result if sealed else None), result


def result_of(job: Job, **changes: Any) -> SealedResult:
    values: dict[str, Any] = {
        "job_id": job.job_id,
        "benchmark": job.benchmark,
        "user_id": job.user_id,
        "submission_id": job.submission_id,
        "run_id": f"run{job.job_id[:12]}",
        "experiment_id": "7",
        "metrics": {"image_auc": 0.1 + 0.2},
        "params": {"method": "PaDiM", "note": 'ü\n"\u2028'},
        "figures": {"system/wall_seconds": 8.5},
        "method": "PaDiM",
        "tags": {"leadersboard.site": "here"},
        "started_at": NOON,
        "ended_at": NOON,
        "files": (SealedFile(path="curves/é.png", size_bytes=3, sha256="a" * 64),),
    }
    return SealedResult(**{**values, **changes})


@pytest.fixture(params=["memory", "redis"])
def site(request: pytest.FixtureRequest) -> Site:
    if request.param == "memory":
        ledger = MemoryJobStatus()
        return Site(jobs=ledger, results=MemoryResults(ledger))
    client = request.getfixturevalue("redis_client")
    return Site(jobs=RedisJobStatus(client), results=RedisResults(client))


def test_a_result_is_sealed_with_the_final_state(site: Site) -> None:
    """One step: the whole result to the last bit, and the job's own end by the ledger's clock."""
    job, result = site.completed()
    found = site.results.get(job.job_id)
    assert found is not None
    assert (found.result, found.finished_at) == (result, job.finished_at)
    assert found.entry.metrics == {"image_auc": 0.1 + 0.2, "system/wall_seconds": 8.5}
    assert (len(found.sha256), found.entry.finished_at) == (64, job.finished_at)


def test_a_result_is_never_replaced(site: Site) -> None:
    """Neither by a second finish nor by what is read from the tracking server later."""
    claim = site.claimed()
    result = result_of(claim.job)
    outcome = Outcome(state=JobState.COMPLETED, run_id=result.run_id)
    site.jobs.finish(claim, outcome, result)
    better = replace(result, metrics={"image_auc": 0.9999})
    with pytest.raises(LeaseLost):
        site.jobs.finish(claim, outcome, better)
    assert not site.results.seal_old(replace(better, sealed_from=SealedFrom.TRACKING))
    found = site.results.get(claim.job_id)
    assert found is not None
    assert found.result == result


def test_a_lost_claim_seals_nothing(site: Site) -> None:
    """A runner that was paused wakes with a result of its own: its job is another's."""
    claim = site.claimed()
    site.jobs.hand_back(claim, count_attempt=True)
    with pytest.raises(LeaseLost):
        site.jobs.finish(claim, Outcome(state=JobState.COMPLETED, run_id="r"), result_of(claim.job))
    with pytest.raises(LeaseLost):
        site.jobs.note_run(claim, "r")
    assert site.results.get(claim.job_id) is None
    assert site.results.owners(["r"]) == {}


def test_results_of_a_benchmark(site: Site) -> None:
    """Of completed jobs alone, each benchmark its own, without those that are known."""
    first, _result = site.completed()
    second, _result = site.completed(submission_id="b" * 32)
    other, _result = site.completed(benchmark="other")
    failed = site.claimed(submission_id="c" * 32)
    site.jobs.finish(failed, Outcome(state=JobState.FAILED))
    assert set(site.results.of_benchmark("synthetic")) == {first.job_id, second.job_id}
    assert set(site.results.of_benchmark("synthetic", known=[first.job_id])) == {second.job_id}
    assert set(site.results.of_benchmark("other")) == {other.job_id}
    assert site.results.of_benchmark("none") == {}
    assert site.results.get(failed.job_id) is None
    assert site.results.get("f" * 32) is None


def test_a_noted_run_is_its_jobs(site: Site) -> None:
    """From before anything is written into it, also after the job went back into the queue; the latest one counts."""
    claim = site.claimed()
    site.jobs.note_run(claim, "run1")
    site.jobs.note_run(claim, "run2")
    assert site.jobs.get(claim.job_id).begun_run == "run2"
    back = site.jobs.hand_back(claim, count_attempt=True)
    assert back.begun_run == "run2"
    assert site.results.owners(["run1", "run2", "run3"]) == dict.fromkeys(("run1", "run2"), claim.job_id)


def test_an_old_job_is_sealed_once(site: Site) -> None:
    """One that completed without a result, and with its own run alone."""
    job, result = site.completed(sealed=False)
    done, _result = site.completed(submission_id="b" * 32)
    running = site.claimed(submission_id="c" * 32)
    assert site.results.unsealed() == [job.job_id]
    old = replace(result, sealed_from=SealedFrom.TRACKING)
    assert not site.results.seal_old(replace(old, run_id="another"))
    assert not site.results.seal_old(result_of(running.job))
    assert not site.results.seal_old(result_of(done))
    assert [site.results.seal_old(old), site.results.seal_old(old)] == [True, False]
    found = site.results.get(job.job_id)
    assert found is not None
    assert (found.result, found.finished_at) == (old, job.finished_at)
    assert site.results.unsealed() == []


@pytest.mark.parametrize("how", ["pin", "pin, unpin", ""])
@pytest.mark.parametrize("old", [False, True])
def test_a_result_lives_as_long_as_its_job(redis_client: redis.Redis, how: str, *, old: bool) -> None:
    """RUN-7: the record's time, its pin, and the end of it, also for a job that was sealed later."""
    site = Site(jobs=RedisJobStatus(redis_client), results=RedisResults(redis_client))
    job, result = site.completed(sealed=not old)
    if old:
        redis_client.delete(f"leaderboard:run:{result.run_id}")
        redis_client.expire(f"leaderboard:job:{job.job_id}", 1000)
        assert site.results.seal_old(result)
    records = RedisOldRecords(redis_client)
    for step in filter(None, how.split(", ")):
        getattr(records, step)(job.job_id)
    keys = [f"leaderboard:{name}" for name in (f"job:{job.job_id}", f"result:{job.job_id}", f"run:{result.run_id}")]
    lives: list[Any] = [redis_client.ttl(key) for key in keys]
    assert max(lives) - min(lives) <= 1, lives
    assert (lives[0] == -1) == (how == "pin")
    records.unpin(job.job_id)
    records.forget(job.job_id)
    assert redis_client.exists(*keys) == 0


@pytest.mark.parametrize("damage", ["text", "head", "another's", "cut"])
def test_a_damaged_result_is_none(redis_client: redis.Redis, damage: str) -> None:
    """What does not match its SHA-256 is on no board; the others are."""
    site = Site(jobs=RedisJobStatus(redis_client), results=RedisResults(redis_client))
    job, _result = site.completed()
    good, _result = site.completed(submission_id="b" * 32)
    key = f"leaderboard:result:{job.job_id}"
    text = str(redis_client.get(key))
    damaged = {
        "text": text.replace("0.30000000000000004", "0.9999"),
        "head": text.replace(" ", "x", 1),
        "another's": str(redis_client.get(f"leaderboard:result:{good.job_id}")),
        "cut": text[:100],
    }
    redis_client.set(key, damaged[damage])
    assert site.results.get(job.job_id) is None
    assert set(site.results.of_benchmark("synthetic")) == {good.job_id}


def test_more_results_than_one_question_holds(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in few questions."""
    monkeypatch.setattr("core.adapters.redis.results.BATCH", 2)
    site = Site(jobs=RedisJobStatus(redis_client), results=RedisResults(redis_client))
    jobs = {site.completed(submission_id=f"{number:032x}")[0].job_id for number in range(5)}
    unsealed = {site.completed(sealed=False, submission_id=f"{number:032x}")[0].job_id for number in range(10, 13)}
    assert set(site.results.of_benchmark("synthetic")) == jobs
    assert set(site.results.unsealed()) == unsealed


def test_a_result_that_is_computed_anew_replaces_the_one_that_it_was_made_of(site: Site) -> None:
    """With the job's own end; a second one, made of the same, is too late."""
    job, result = site.completed()
    before = site.results.get(job.job_id)
    assert before is not None
    proof = Proof(scorer="s 2", predictions_sha256="a" * 64, labels_sha256="b" * 64)
    new = result.rescored({"image_auc": 0.25}, proof)
    assert not site.results.reseal("f" * 64, new)
    assert site.results.reseal(before.sha256, new)
    assert not site.results.reseal(before.sha256, result)
    found = site.results.get(job.job_id)
    assert found is not None
    assert (found.result, found.finished_at) == (new, job.finished_at)
    assert (found.result.claims, found.result.earlier[0].scorer) == (result.metrics, None)
    assert not site.results.reseal(before.sha256, replace(new, job_id="f" * 32))


def test_a_job_to_be_scored_again_is_given_to_one_runner(site: Site) -> None:
    """Until that ends it, or its time is over; asking twice is asking once."""
    assert site.results.take_rescore(60) is None
    for job_id in ("a", "b", "a"):
        site.results.ask_rescore(job_id)
    assert {site.results.take_rescore(60), site.results.take_rescore(60)} == {"a", "b"}
    site.results.ask_rescore("a")
    assert site.results.take_rescore(60) is None
    for job_id in ("a", "b"):
        site.results.end_rescore(job_id)
    site.results.ask_rescore("a")
    assert site.results.take_rescore(0) == "a"
    assert site.results.take_rescore(60) == "a"


def test_a_resealed_result_lives_no_longer_than_its_job(redis_client: redis.Redis) -> None:
    site = Site(jobs=RedisJobStatus(redis_client), results=RedisResults(redis_client))
    job, result = site.completed()
    before = site.results.get(job.job_id)
    assert before is not None
    proof = Proof(scorer="s 2", predictions_sha256="a" * 64, labels_sha256="b" * 64)
    assert site.results.reseal(before.sha256, result.rescored({}, proof))
    lives: list[Any] = [redis_client.ttl(f"leaderboard:{kind}:{job.job_id}") for kind in ("job", "result")]
    assert 0 < max(lives) - min(lives) + 1 <= 2
