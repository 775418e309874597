"""The engine stops, dies or hangs under real runners: no job fails for it, and who waits goes on waiting."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
import redis

from core.adapters.redis.rate_limit import RedisRateLimit
from core.adapters.redis.runners import RedisRunners
from core.domain.job import JobState
from core.domain.limits import SMALL, UserLimits
from core.domain.runners import SILENT_SECONDS, RunnerState
from tests.conftest import service
from tests.docker.altered_runner import altered
from tests.docker.own_parts import OwnPart, give_small_image, own_engine
from tests.docker.runner_site import Site, ended, kill_group, lines_of, mlflow_runs, until, until_nothing_is_left
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

LINES = [f"line {number}" for number in range(20)]
PROGRAM = "import time\nfor number in range(20):\n    print('line', number, flush=True)\n    time.sleep(0.4)\n" + GOOD
"""Runs for long enough that on a busy machine two are under way at the same time."""
RUN_AGAIN = "The platform failed in attempt 1; the job is run again."
AWAY_SECONDS = 2.0
ENGINE_CALLS_END_SOON = altered(
    runner__engine__docker_engine__CALL_SECONDS=4, runner__engine__inspection__CALL_SECONDS=4
)
CANARY_AGAIN_SOON = altered(runner__canary__scheduler__RED_SECONDS=3)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The test's own, and the image that it has."""

    part: OwnPart
    image: str
    onlooker: docker.DockerClient


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One for the file: whichever test killed it has started it again."""
    name = f"t{secrets.token_hex(6)}"
    folder = Path(service("LEADERSBOARD_TEST_ROOT")) / "work" / f"{name}-engine"
    folder.mkdir(parents=True)
    with own_engine(name, folder) as part, closing(docker.DockerClient(base_url=part.url)) as onlooker:
        yield Engine(part=part, image=give_small_image(part), onlooker=onlooker)
    shutil.rmtree(folder)


@pytest.fixture
def fragile(site: Site, engine: Engine) -> Site:
    """A site on that engine."""
    classes = json.dumps([SMALL.model_dump()])  # each is probed before the first job
    site.environment |= {
        "ENGINE_SOCKET": engine.part.url, "SANDBOX_IMAGE": engine.image, "RESOURCE_CLASSES": classes
    }  # fmt: skip
    return site


def places_left(client: redis.Redis, user: str) -> int:
    return RedisRateLimit(client).allowance(user, UserLimits(jobs_per_hour=1000)).remaining


def no_runner_has_an_engine(client: redis.Redis, processes: int) -> bool:
    told = [seen.report.state for seen in RedisRunners(client).runners()]
    return told == [RunnerState.NO_ENGINE] * processes


def two_run_and_one_waits(site: Site) -> list[str]:
    """For two workers; `eve`'s comes last."""
    ids = [site.post(PROGRAM, user) for user in ("ann", "bob", "eve")]
    until(lambda: all("line 3" in site.log(job_id) for job_id in ids[:2]), "two jobs run")
    assert standing(site, ids[2]) == (JobState.PENDING, 0)
    return ids


def standing(site: Site, job_id: str) -> tuple[JobState, int]:
    job = site.ledger.get(job_id)
    return job.state, job.attempt


def assert_all_completed(site: Site, engine: Engine, attempts: dict[str, int]) -> None:
    """Each in that attempt, with one closed MLflow run and the whole log of its last one; nothing is left."""
    jobs = [ended(site, job_id) for job_id in attempts]
    found = {job.job_id: job.attempt for job in jobs if job.state is JobState.COMPLETED}
    assert found == attempts, site.words()
    assert mlflow_runs(site) == sorted((job.run_id or "", "FINISHED") for job in jobs)
    assert [lines_of(site.log(job_id))[-len(LINES) :] for job_id in attempts] == [LINES] * len(attempts)
    until_nothing_is_left(site, engine.onlooker)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_an_engine_that_goes_down_costs_an_attempt_and_no_job(
    fragile: Site, engine: Engine, redis_client: redis.Redis, how: str
) -> None:
    """R15, R17: while it is away jobs wait and no attempt is used up; it starts over what its own death left.

    What ran in it is run again, by the platform's fault and at nobody's cost.
    """
    with fragile.runner(processes=2):
        ids = two_run_and_one_waits(fragile)
        getattr(engine.part, how)()
        until(lambda: no_runner_has_an_engine(redis_client, 2), "both workers say why they take nothing")
        ids.append(fragile.post(PROGRAM, "dan"))
        time.sleep(AWAY_SECONDS)  # many sweeps
        assert [standing(fragile, job_id) for job_id in ids[2:]] == [(JobState.PENDING, 0)] * 2
        engine.part.start()
        assert_all_completed(fragile, engine, dict(zip(ids, (2, 2, 1, 1), strict=True)))
    assert [fragile.log(job_id).count(RUN_AGAIN) for job_id in ids] == [1, 1, 0, 0]
    assert [places_left(redis_client, user) for user in ("ann", "bob", "eve", "dan")] == [999] * 4


@pytest.mark.parametrize("runner_lives", [True, False])
def test_an_engine_whose_data_was_wiped_costs_an_attempt_and_no_job(
    fragile: Site, engine: Engine, redis_client: redis.Redis, *, runner_lives: bool
) -> None:
    """No container, volume or image is left, and it has another name; with its image back it runs what was lost again.

    A runner that begins on it does so once the former name was not heard of for long enough.
    """
    fragile.environment["HOST_PATIENCE_SECONDS"] = "5"
    with ExitStack() as runners:
        first = runners.enter_context(fragile.runner("tests.docker.altered_runner:build", ALTERED=CANARY_AGAIN_SOON))
        ids = [fragile.post(PROGRAM, "ann")]
        until(lambda: "line 3" in fragile.log(ids[0]), "it runs")
        ids.append(fragile.post(PROGRAM, "bob"))
        former = engine.onlooker.info()["ID"]
        if not runner_lives:
            kill_group(first)
        engine.part.kill()
        engine.part.beside("find /var/lib/docker -mindepth 1 -delete")
        engine.part.start()
        assert engine.onlooker.info()["ID"] != former
        if not runner_lives:
            runners.enter_context(fragile.runner("tests.docker.altered_runner:build", ALTERED=CANARY_AGAIN_SOON))
        until(lambda: told_of(redis_client, "has no image"), "its runner says why it takes nothing")
        time.sleep(AWAY_SECONDS)
        assert standing(fragile, ids[1]) == (JobState.PENDING, 0)
        give_small_image(engine.part)
        assert_all_completed(fragile, engine, dict(zip(ids, (2, 1), strict=True)))
    assert [places_left(redis_client, user) for user in ("ann", "bob")] == [999] * 2


def told_of(client: redis.Redis, words: str) -> bool:
    """By a runner that is not silent."""
    seen = [one for one in RedisRunners(client).runners() if one.silent_seconds < SILENT_SECONDS]
    return any(words in (one.report.reason or "") for one in seen)


def test_an_engine_that_hangs_is_not_waited_for_for_ever(
    fragile: Site, engine: Engine, redis_client: redis.Redis
) -> None:
    """Every call has a deadline, after which jobs wait; when it answers again the same runs are taken over."""
    with fragile.runner("tests.docker.altered_runner:build", processes=2, ALTERED=ENGINE_CALLS_END_SOON):
        ids = two_run_and_one_waits(fragile)
        engine.part.pause()
        try:
            until(lambda: fragile.words().count('"event": "platform failed"') == 2, "both runs are left alone")
            until(lambda: no_runner_has_an_engine(redis_client, 2), "both workers say why they take nothing")
            assert standing(fragile, ids[2]) == (JobState.PENDING, 0)
        finally:
            engine.part.unpause()
        assert_all_completed(fragile, engine, dict.fromkeys(ids, 1))
    assert [lines_of(fragile.log(job_id)) for job_id in ids] == [LINES] * 3
