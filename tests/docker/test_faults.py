"""Parts that die, hang or double under a runner: every accepted job ends once, in a true state, with its whole log.

What a runner's own death at each of its steps does is in test_runner_deaths.py; the engine's in test_engine_away.py;
full disks and jumping clocks are in test_full_disks.py and test_jumping_clocks.py.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import docker
import httpx2
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.connection import connect
from core.adapters.redis.runners import RedisRunners
from core.domain.job import Job, JobState, Phase
from tests.conftest import redis_url
from tests.docker.conftest import opened_site
from tests.docker.own_parts import OwnPart, own_mlflow, own_redis
from tests.docker.runner_site import DEFAULTS, PATIENCE_SECONDS, Site, ended, kill_group, lines_of, until
from tests.integration.freezing_proxy import FreezingProxy, freezing_proxy
from tests.runner_bench import GOOD
from tests.running_gateway import Door, environment, gateway_process

pytestmark = pytest.mark.docker

LINES = [f"line {number}" for number in range(20)]
TEN = 10


def program(seconds: float, number: int = 0) -> str:
    """Twenty numbered lines over that time, then a good end."""
    pause = seconds / len(LINES)
    return (
        f"import time  # {number}\nfor n in range({len(LINES)}):\n"
        f"    print('line', n, flush=True)\n    time.sleep({pause})\n" + GOOD
    )


@pytest.fixture
def ledger_server(fresh_name: str) -> Iterator[OwnPart]:
    with own_redis(fresh_name) as server:
        yield server


@pytest.fixture
def fragile(
    engine_folder: Path, ledger_server: OwnPart, mlflow_url: str, image: str, fresh_name: str
) -> Iterator[Site]:
    """A site whose Redis may be killed."""
    with opened_site(engine_folder, ledger_server.url, mlflow_url, image, fresh_name) as site:
        yield site


@pytest.fixture
def mlflow_door(mlflow_url: str) -> Iterator[FreezingProxy]:
    parts = urlsplit(mlflow_url)
    assert parts.hostname is not None
    assert parts.port is not None
    with freezing_proxy((parts.hostname, parts.port)) as proxy:
        yield proxy


def assert_settled(site: Site, ids: Sequence[str], mlflow_url: str, inner: docker.DockerClient) -> list[Job]:
    """All completed in their first attempt, one run each, every line once, nothing left anywhere."""
    jobs = [ended(site, job_id) for job_id in ids]
    assert [(job.state, job.attempt) for job in jobs] == [(JobState.COMPLETED, 1)] * len(ids), site.words()
    assert [lines_of(site.log(job_id)) for job_id in ids] == [LINES] * len(ids), site.words()
    assert [site.log(job_id).count("Ended:") for job_id in ids] == [1] * len(ids)
    with closing(MlflowTracking(mlflow_url)) as tracking:
        runs = list(tracking._search(tracking._experiment(site.benchmark), ""))
    assert sorted(run["info"]["run_id"] for run in runs) == sorted(job.run_id or "" for job in jobs)
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    until(lambda: site.left_on_disk() == [], "no folder is left")
    label = {"label": f"leadersboard.site={site.ledger.ledger_id()}"}
    until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "no container is left")
    until(lambda: not inner.volumes.list(filters=label), "no volume is left")
    return jobs


def readiness(door: Door) -> tuple[int, str]:
    """The status, and what is said of Redis."""
    with door.client() as anybody:
        answer = anybody.get("/health/ready")
    return answer.status_code, str(answer.json()["dependencies"]["redis"])


def begun(site: Site, job_id: str) -> None:
    until(lambda: "line 3" in site.log(job_id), "the job runs")


@dataclass
class Poster:
    """One who posts a job over HTTP under a key, again and again until it is accepted, as our client does."""

    door: Door
    benchmark: str
    key: str
    submission_id: str
    refused: int = 0

    def ask(self) -> str | None:
        """The job, or None for a refusal that says in our words when to come again."""
        config = {"benchmark": self.benchmark, "resource_class": "small"}
        wanted = {"submission_id": self.submission_id, "config": config}
        with self.door.client() as ann:
            answer = ann.post("/jobs", json=wanted, headers={"Idempotency-Key": self.key})
        if answer.status_code == 202:
            return str(answer.json()["job_id"])
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
        assert answer.json()["code"] == "unavailable"
        assert int(answer.headers["retry-after"]) > 0
        self.refused += 1
        return None

    def insist(self) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (job_id := self.ask()) is None:
            assert time.monotonic() < deadline, "refused for too long"
            time.sleep(0.2)
        return job_id


def test_redis_killed_under_load_loses_nothing(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """R6, R7: kill -9 with jobs running and waiting; what was accepted is there afterwards, and nothing runs twice."""
    ids = [fragile.post(program(6, number), user=f"user{number}") for number in range(4)]
    with fragile.runner(processes=2):
        begun(fragile, ids[0])
        ledger_server.kill()
        time.sleep(3)
        ledger_server.start()
        assert_settled(fragile, ids, mlflow_url, inner)


def test_a_runner_that_begins_before_redis_waits_for_it(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """A host that was started anew: it does not live on without hearing bells, and runs what had been accepted."""
    job_id = fragile.post(program(1))
    ledger_server.kill()
    with fragile.runner() as runner:
        time.sleep(6)  # it asks in vain meanwhile; what it says of that comes once it has begun
        ledger_server.start()
        assert_settled(fragile, [job_id], mlflow_url, inner)
        assert "waiting for a part" in fragile.words()
        assert runner.poll() is None


def test_a_redis_that_hangs_is_waited_for(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """Longer than a lease: the runner lives, finds its claim gone, and takes its own run over again."""
    job_id = fragile.post(program(8))
    with fragile.runner():
        begun(fragile, job_id)
        ledger_server.pause()
        time.sleep(6)
        ledger_server.unpause()
        assert_settled(fragile, [job_id], mlflow_url, inner)


def test_whoever_insists_while_redis_dies_has_each_job_once(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """R6: over HTTP, three at a time; what was not accepted was told so, and the same key is the same job."""
    wanted = {f"key {number}": fragile.upload(program(1, number), "ann").submission_id for number in range(6)}
    env = environment(fragile.root, redis_url=ledger_server.url, mlflow_url=mlflow_url)
    runner = fragile.runner(processes=2, MAX_CONCURRENT_RUNNING="9")
    with runner, gateway_process(fragile.root, env) as (door, _process), ThreadPoolExecutor(3) as crowd:
        posters = [Poster(door, fragile.benchmark, key, submission) for key, submission in wanted.items()]
        posted = [crowd.submit(poster.insist) for poster in posters]
        until(lambda: sum(one.done() for one in posted) >= 2, "some are accepted")
        ledger_server.kill()
        until(lambda: any(poster.refused for poster in posters), "some are refused")
        ledger_server.start()
        ids = [one.result(PATIENCE_SECONDS) for one in posted]
        assert_settled(fragile, ids, mlflow_url, inner)
        assert [poster.insist() for poster in posters] == ids
    assert {job.job_id for job in fragile.ledger.list_jobs().jobs} == set(ids)


def test_a_full_redis_refuses_what_is_new_and_keeps_what_it_has(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """R10, R11: nothing is evicted; a new job is refused as a whole; what runs and what waits is brought to its end."""
    ids = [fragile.post(program(3, number), user) for number, user in enumerate(("bob", "eve"))]
    late = fragile.upload(program(0.2, 2), "ann").submission_id
    env = environment(fragile.root, redis_url=ledger_server.url, mlflow_url=mlflow_url)
    with fragile.runner(), gateway_process(fragile.root, env) as (door, _process), connect(ledger_server.url) as client:
        begun(fragile, ids[0])
        client.config_set("maxmemory", "1")
        poster = Poster(door, fragile.benchmark, "late", late)
        assert poster.ask() is None
        until(lambda: readiness(door) == (503, "unavailable"), "readiness tells of it")
        assert not client.keys("leaderboard:*:ann*")
        since = time.monotonic()
        silent = lambda: RedisRunners(client).runners()[0].silent_seconds  # noqa: E731
        until(lambda: silent() < time.monotonic() - since, "the runner tells of itself as before")
        assert_settled(fragile, ids, mlflow_url, inner)
        assert {job.job_id for job in fragile.ledger.list_jobs().jobs} == set(ids)
        client.config_set("maxmemory", "64mb")
        until(lambda: readiness(door) == (200, "ok"), "all is well again")
        assert_settled(fragile, [*ids, poster.insist()], mlflow_url, inner)


def test_results_wait_for_mlflow_and_the_runner_does_not(
    site: Site, mlflow_url: str, mlflow_door: FreezingProxy, inner: docker.DockerClient
) -> None:
    """TRK-5, R13: with MLflow away one runner runs job after job; each is recorded once when it is back."""
    mlflow_door.refuse()
    site.environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{mlflow_door.port}"
    ids = [site.post(program(0.2, number)) for number in range(2)]
    recording = lambda job_id: site.ledger.get(job_id).phase is Phase.RECORDING  # noqa: E731
    with site.runner() as first:
        until(lambda: all(map(recording, ids)), "both wait for MLflow")
        assert {site.ledger.get(job_id).state for job_id in ids} == {JobState.RUNNING}
        kill_group(first)
    with site.runner():
        mlflow_door.admit()
        assert_settled(site, ids, mlflow_url, inner)


def test_an_mlflow_that_hangs_holds_no_runner(
    site: Site, mlflow_url: str, mlflow_door: FreezingProxy, inner: docker.DockerClient
) -> None:
    """R13, TRK-5: as it takes a result's files. The next job starts within 30 s, and each result is recorded once."""
    site.environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{mlflow_door.port}"
    asleep = site.root / "asleep"
    trap = {"DIE_AT": "metrics logged", "DIED": str(asleep), "DIE_OF": "SIGSTOP"}
    ids = [site.post(program(0.2, number)) for number in range(2)]
    with site.runner("tests.docker.dying_runner:build", **trap, **DEFAULTS):
        until(lambda: asleep.exists() and asleep.read_text() != "", "it is about to send the files")
        mlflow_door.freeze()
        os.kill(int(asleep.read_text()), signal.SIGCONT)
        since = time.monotonic()
        until(lambda: "line 0" in site.log(ids[1]), "the next job runs")
        assert time.monotonic() - since < 30
        mlflow_door.thaw()
        assert_settled(site, ids, mlflow_url, inner)


def test_an_mlflow_that_is_killed_gets_every_result_once(
    site: Site, fresh_name: str, inner: docker.DockerClient
) -> None:
    """TRK-5, R13: kill -9 while it records, with results before, during and after; none is lost or there twice."""
    with own_mlflow(fresh_name) as server:
        site.environment["MLFLOW_TRACKING_URI"] = server.url
        ids = [site.post(program(0.4 * number, number), user=f"user{number}") for number in range(6)]
        recording = lambda job_id: site.ledger.get(job_id).phase is Phase.RECORDING  # noqa: E731
        with site.runner(processes=2):
            until(lambda: any(map(recording, ids)), "one is being recorded")
            server.kill()
            until(lambda: all(site.ledger.get(job_id).is_final or recording(job_id) for job_id in ids), "all have run")
            assert any(map(recording, ids))
            server.start()
            assert_settled(site, ids, server.url, inner)


def test_a_paused_runner_wakes_up_to_nothing(site: Site, mlflow_url: str, inner: docker.DockerClient) -> None:
    """SIGSTOP: its lease is taken, another runner finishes the run, and the sleeper changes nothing afterwards.

    The run prints more than the engine holds back for a reader that does not read.
    """
    job_id = site.post(program(8).replace("    print(", "    print('x' * 150_000)\n    print(", 1))
    with site.runner("tests.docker.restless_runner:build") as sleeper:
        begun(site, job_id)
        os.killpg(sleeper.pid, signal.SIGSTOP)
        with site.runner():
            until(lambda: "line 15" in site.log(job_id), "another runner goes on with the log")
            os.killpg(sleeper.pid, signal.SIGCONT)
            assert_settled(site, [job_id], mlflow_url, inner)
            time.sleep(3)
            assert_settled(site, [job_id], mlflow_url, inner)
            assert sleeper.poll() is None


def test_doubled_messages_start_nothing_twice(site: Site, mlflow_url: str, inner: docker.DockerClient) -> None:
    """JOB-11: twenty rings for two jobs, two workers who hear them at the same moment."""
    ids = [site.post(program(1, number), user=f"user{number}") for number in range(2)]
    for _ring in range(20):
        site.bell.ring("small")
    with site.runner(processes=2):
        assert_settled(site, ids, mlflow_url, inner)


def test_a_gateway_killed_before_it_rings_has_lost_nothing(
    site: Site, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """kill -9 between ledger and doorbell: the job is run, and whoever asks again gets the same one."""
    config = {"benchmark": site.benchmark, "resource_class": "small"}
    wanted = {"submission_id": site.upload(program(1), "ann").submission_id, "config": config}
    env = environment(site.root, redis_url=redis_url(), mlflow_url=mlflow_url)
    dying = "tests.docker.dying_gateway:build"
    with gateway_process(site.root, env, build=dying) as (door, process), door.client() as ann:
        with suppress(httpx2.HTTPError):  # its answer may have been on its way
            ann.post("/jobs", json=wanted, headers={"Idempotency-Key": "once"})
        assert process.wait(20) == -signal.SIGKILL
    (job,) = site.ledger.list_jobs(limit=10).jobs
    with site.runner(), gateway_process(site.root, env) as (door, _process), door.client() as ann:
        assert_settled(site, [job.job_id], mlflow_url, inner)
        again = ann.post("/jobs", json=wanted, headers={"Idempotency-Key": "once"})
    assert again.json()["job_id"] == job.job_id


def test_a_rolling_restart_reruns_nothing(site: Site, mlflow_url: str, inner: docker.DockerClient) -> None:
    """RUN-3: the runner is replaced while ten jobs run; no container is started twice."""
    ids = [site.post(program(45, number), user=f"user{number}") for number in range(TEN)]
    label = {"label": [f"leadersboard.site={site.ledger.ledger_id()}", "leadersboard.role=job"]}
    with site.runner(processes=TEN) as old:
        for job_id in ids:
            begun(site, job_id)
        before = {container.id for container in inner.containers.list(filters=label, ignore_removed=True)}
        old.terminate()
        assert old.wait(60) == 0
    assert {container.id for container in inner.containers.list(filters=label, ignore_removed=True)} == before
    with site.runner(processes=TEN):
        assert_settled(site, ids, mlflow_url, inner)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_cancel_does_not_need_the_runner_that_started_the_job(
    site: Site, inner: docker.DockerClient, how: signal.Signals
) -> None:
    """JOB-8: its worker dead or asleep, the container is gone within ten seconds of another runner's being there.

    Asked when there is none (dead), or one that waits for a lease that has 30 s to go (asleep).
    """
    job_id = site.post(program(60))
    with site.runner(**DEFAULTS) as first:
        begun(site, job_id)
        os.killpg(first.pid, how)
        if how is signal.SIGKILL:
            site.ledger.cancel(job_id)
        with site.runner(**DEFAULTS):
            until(lambda: site.words().count("Worker process is ready") == 2, "it is there")
            since = time.monotonic()
            if how is signal.SIGSTOP:
                site.ledger.cancel(job_id)
            label = {"label": f"leadersboard.job={job_id}"}
            until(
                lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "the container is gone"
            )
            assert time.monotonic() - since < 10
            assert ended(site, job_id).state is JobState.CANCELLED
            until(lambda: not inner.volumes.list(filters=label), "the volume is gone")
