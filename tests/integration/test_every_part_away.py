"""Every route of the API with Redis or MLflow away: those that need it say 503 in time, the others do not notice."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import redis

from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.sealed_result import SealedResult
from gateway.openapi.document import operations
from tests.conftest import redis_through, redis_url
from tests.integration.freezing_proxy import FreezingProxy, freezing_proxy
from tests.running_gateway import Door, environment, free_port, gateway_thread

pytestmark = pytest.mark.integration

SECONDS = 2.0
ID = "0" * 32
SESSION = "lbs_" + "a" * 43
FILES = [("files", ("main.py", b"")), ("files", ("config.yaml", b""))]
BODIES = {
    "POST /jobs": {"submission_id": "{submission_id}"},
    "POST /auth/login": {"username": "ann", "password": "correct horse battery"},
    "POST /auth/password": {"password": "correct horse battery", "new_password": "another horse battery"},
    "PATCH /jobs/{job_id}/entry": {"title": "mine"},
    "POST /admin/entries/{job_id}/disqualify": {"reason": "it read the labels"},
    "POST /admin/entries/{job_id}/restore": {"reason": "it did not"},
    "POST /users": {"name": "bea", "password": "correct horse battery"},
}
ON_REDIS = [
    "POST /submissions", "POST /jobs", "GET /jobs", "GET /jobs/{job_id}/status", "POST /jobs/{job_id}/cancel",
    "POST /jobs/{job_id}/rerun", "GET /jobs/{job_id}/logs", "GET /jobs/{job_id}/logs/stream",
    "GET /jobs/{job_id}/results", "GET /jobs/{job_id}/provenance", "GET /jobs/{job_id}/artifacts",
    "GET /jobs/{job_id}/artifacts/{path}",
    "POST /auth/login", "POST /auth/logout", "POST /auth/password", "GET /users", "POST /users", "DELETE /users/{name}",
    "GET /admin/overview", "GET /admin/runners", "GET /admin/runners/{runner}", "POST /admin/runners/{runner}/pause",
    "POST /admin/runners/{runner}/resume", "POST /admin/runners/{runner}/drain", "POST /admin/runners/{runner}/canary",
    "GET /admin/dead-letters", "POST /admin/dead-letters/{letter_id}/retry", "DELETE /admin/dead-letters/{letter_id}",
    "GET /admin/retention", "POST /admin/retention", "GET /admin/pins", "POST /admin/jobs/{job_id}/pin",
    "DELETE /admin/jobs/{job_id}/pin", "POST /admin/results/{job_id}/restore", "GET /leaderboard", "GET /admin/audit",
    "POST /admin/results/{job_id}/rescore",
    "GET /leaderboard/export", "GET /leaderboard/history", "GET /jobs/{job_id}/entry", "PATCH /jobs/{job_id}/entry",
    "POST /admin/entries/{job_id}/disqualify", "POST /admin/entries/{job_id}/restore",
    "POST /admin/entries/{job_id}/baseline", "DELETE /admin/entries/{job_id}/baseline",
    "GET /submissions",  # an admin's shows everybody's, which the audit trail must be able to record
]  # fmt: skip
ON_MLFLOW = ["GET /jobs/{job_id}/artifacts/{path}", "POST /admin/results/{job_id}/restore"]
ON_THE_LEDGER_ALONE = [
    "GET /leaderboard", "GET /leaderboard/export", "GET /leaderboard/history", "GET /jobs/{job_id}/results",
    "GET /jobs/{job_id}/artifacts", "GET /jobs/{job_id}/provenance",
]  # fmt: skip
"""Answered from sealed results: that MLflow is away is said in a field."""
ON_NEITHER = [
    "GET /submissions/{submission_id}", "GET /submissions/{submission_id}/archive", "GET /auth/me",
    "GET /benchmarks", "GET /benchmarks/check", "GET /weights", "GET /resource-classes", "GET /metrics",
    "GET /health/live",
]  # fmt: skip
SPEAKS_FOR_ITSELF = ["GET /health/ready"]


def ask(door: Door, call: str, *, job_id: str = ID, submission_id: str = ID) -> tuple[httpx2.Response, float]:
    """The answer and its seconds; by an admin, or where only a session makes sense by one that nobody knows yet."""
    method, template = call.split(" ")
    path = template.format(
        job_id=job_id, submission_id=submission_id, path="model/weights.bin", name="bea", letter_id=ID, runner="r1"
    )
    token = SESSION if call in {"POST /auth/logout", "POST /auth/password"} else door.admin_token
    body = BODIES.get(call)
    if body and "submission_id" in body:
        body = {"submission_id": submission_id}
    with door.client(token) as client:
        started = time.perf_counter()
        answer = client.request(method, path, json=body, files=FILES if call == "POST /submissions" else None)
        return answer, time.perf_counter() - started


def assert_told_in_time(door: Door, call: str, **ids: str) -> None:
    answer, seconds = ask(door, call, **ids)
    assert answer.status_code == 503, (call, answer.text)
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert seconds < SECONDS, (call, seconds)


def all_told_in_time(door: Door, calls: list[str], **ids: str) -> None:
    """Some at once, since each waits for most of its time."""
    with ThreadPoolExecutor(4) as pool:
        for told in [pool.submit(assert_told_in_time, door, call, **ids) for call in calls]:
            told.result()


def uploaded(root: Path, mlflow_url: str) -> str:
    """A submission from when everything was there, below the same root."""
    with gateway_thread(root, environment(root, redis_url=redis_url(), mlflow_url=mlflow_url)) as door:
        answer, _ = ask(door, "POST /submissions")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["submission_id"])


@contextmanager
def dead(kind: str) -> Iterator[int]:
    """A port where nothing listens, or where somebody takes connections and never answers."""
    if kind == "away":
        yield free_port()
        return
    with closing(socket.create_server(("127.0.0.1", 0), backlog=200)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def in_front_of(url: str) -> Iterator[FreezingProxy]:
    parts = urlsplit(url)
    with freezing_proxy((parts.hostname or "", parts.port or 0)) as proxy:
        yield proxy


def test_the_lists_name_every_call(tmp_path: Path) -> None:
    """A route that is added must be put into one of them."""
    env = environment(tmp_path, redis_url="redis://127.0.0.1:1/0", mlflow_url="http://127.0.0.1:1")
    with gateway_thread(tmp_path, env) as door, door.client() as client:
        document = client.get("/openapi.json").json()
    calls = {f"{method.upper()} {path}" for path, method, _ in operations(document)}
    assert {*ON_THE_LEDGER_ALONE} <= {*ON_REDIS}
    assert calls == {*ON_REDIS, *ON_MLFLOW, *ON_NEITHER, *SPEAKS_FOR_ITSELF}


@pytest.mark.parametrize("kind", ["away", "silent"])
def test_without_redis(tmp_path: Path, mlflow_url: str, kind: str) -> None:
    """Refused connections and a Redis that never answers alike. A session is 503 then, not 401: nobody can look."""
    submission = uploaded(tmp_path, mlflow_url)
    with dead(kind) as port:
        env = environment(tmp_path, redis_url=f"redis://127.0.0.1:{port}/0", mlflow_url=mlflow_url)
        with gateway_thread(tmp_path, env) as door:
            all_told_in_time(door, ON_REDIS, submission_id=submission)
            for call in ON_NEITHER:
                answer, seconds = ask(door, call, submission_id=submission)
                assert answer.status_code == 200, (call, answer.text)
                assert seconds < SECONDS
            with door.client(SESSION) as client:
                assert client.get("/auth/me").status_code == 503


def test_redis_hangs_in_the_middle(tmp_path: Path, mlflow_url: str) -> None:
    """With connections that worked a moment ago."""
    submission = uploaded(tmp_path, mlflow_url)
    with in_front_of(redis_url()) as proxy:
        address = redis_through(proxy.port)
        with gateway_thread(tmp_path, environment(tmp_path, redis_url=address, mlflow_url=mlflow_url)) as door:
            assert ask(door, "GET /jobs")[0].status_code == 200
            proxy.freeze()
            all_told_in_time(door, ON_REDIS, submission_id=submission)


@pytest.fixture
def recorded_job(redis_client: redis.Redis) -> str:
    """A job of the ledger that has ended with a run."""
    ledger = RedisJobStatus(connect(redis_url()))
    request = JobRequest(submission_id=ID, user_id="ann", resource_class="small", benchmark="synthetic", overrides={})
    ledger.admit(request, UserLimits())
    claim = ledger.claim("small", worker="w", lease_seconds=60, running_limit=1)
    assert claim is not None
    result = SealedResult(
        job_id=claim.job_id, benchmark="synthetic", user_id="ann", submission_id=ID, run_id="1" * 32,
        experiment_id="1", metrics={"image_auc": 0.5}, ended_at=claim.job.created_at,
    )  # fmt: skip
    return ledger.finish(claim, Outcome(state=JobState.COMPLETED, run_id=result.run_id), result).job_id


@pytest.mark.parametrize("kind", ["away", "silent"])
def test_without_mlflow(tmp_path: Path, recorded_job: str, kind: str) -> None:
    """What MLflow keeps says so; the board, results, the job's status and log do not need it (DOR-3)."""
    with dead(kind) as port:
        env = environment(tmp_path, redis_url=redis_url(), mlflow_url=f"http://127.0.0.1:{port}")
        with gateway_thread(tmp_path, env) as door:
            all_told_in_time(door, ON_MLFLOW, job_id=recorded_job)
            for call in ON_THE_LEDGER_ALONE:
                answer, seconds = ask(door, call, job_id=recorded_job)
                assert answer.status_code == 200, (call, answer.text)
                assert seconds < SECONDS * 2, (call, seconds)
            assert ask(door, "GET /leaderboard")[0].json()["items"][0]["value"] == 0.5
            results = ask(door, "GET /jobs/{job_id}/results", job_id=recorded_job)[0].json()
            assert (results["metrics"], results["artifacts_available"]) == ({"image_auc": 0.5}, False)
            assert results["tracking"]["state"] == "unknown"
            for call in ("GET /jobs/{job_id}/status", "GET /jobs/{job_id}/logs", "GET /jobs", "GET /users"):
                assert ask(door, call, job_id=recorded_job)[0].status_code == 200


def test_mlflow_hangs_in_the_middle(tmp_path: Path, recorded_job: str, mlflow_url: str) -> None:
    with in_front_of(mlflow_url) as proxy:
        env = environment(tmp_path, redis_url=redis_url(), mlflow_url=f"http://127.0.0.1:{proxy.port}")
        with gateway_thread(tmp_path, env) as door:
            ask(door, "GET /leaderboard")
            proxy.freeze()
            all_told_in_time(door, ON_MLFLOW, job_id=recorded_job)
            assert ask(door, "GET /leaderboard")[0].json()["total"] == 1
