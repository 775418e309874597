"""Limits and logs under many requests at once, through the whole gateway on real Redis (JOB-4, PER-4)."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import redis

from tests.conftest import redis_url
from tests.running_gateway import Door, environment, gateway_thread

pytestmark = pytest.mark.integration

LIMIT = 10


@pytest.fixture
def strict_door(tmp_path: Path, redis_client: redis.Redis) -> Iterator[Door]:
    """A gateway with the limits that a site has by default; it needs no MLflow."""
    limits = {"MAX_SUBMISSIONS_PER_HOUR": str(LIMIT), "MAX_CONCURRENT_RUNNING": "1"}
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url="http://127.0.0.1:1", **limits)
    with gateway_thread(tmp_path, env) as running:
        yield running


def submitted(client: httpx2.Client) -> str:
    answer = client.post("/submissions", files={"files": ("main.py", b"print(1)")})
    return str(answer.raise_for_status().json()["submission_id"])


def test_fifty_parallel_requests_of_one_user_pass_exactly_the_limit(strict_door: Door) -> None:
    """JOB-4: each accepted one is told another amount, each refused one when to come again."""
    with strict_door.client() as client:
        submission = submitted(client)

        def post(number: int) -> httpx2.Response:
            return client.post("/jobs", json={"submission_id": submission, "config": {"number": number}})

        with ThreadPoolExecutor(max_workers=25) as pool:
            answers = list(pool.map(post, range(50)))
        assert Counter(answer.status_code for answer in answers) == {202: LIMIT, 429: 50 - LIMIT}
        left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers if answer.status_code == 202]
        assert sorted(left) == list(range(LIMIT))
        assert all(int(answer.headers["Retry-After"]) > 3500 for answer in answers if answer.status_code == 429)
        assert len(client.get("/jobs", params={"limit": 200}).json()["items"]) == LIMIT
    with strict_door.client(strict_door.other_token) as other:
        assert other.post("/jobs", json={"submission_id": submitted(other), "config": {}}).status_code == 202


def test_the_same_request_fifty_times_at_once_is_one_job(strict_door: Door) -> None:
    """JOB-2: with and without a key, however fast they come."""
    with strict_door.client() as client:
        submission = submitted(client)

        def post(number: int) -> str:
            headers = {"Idempotency-Key": "k"} if number % 2 else {}
            body = {"submission_id": submission, "config": {}}
            return str(client.post("/jobs", json=body, headers=headers).raise_for_status().json()["job_id"])

        with ThreadPoolExecutor(max_workers=25) as pool:
            assert len(set(pool.map(post, range(50)))) == 2


def test_ten_people_watch_one_log(strict_door: Door) -> None:
    """PER-4, LOG-2: each sees every line once, within half a second of its printing."""
    with strict_door.client() as client:
        body = {"submission_id": submitted(client), "config": {}}
        job_id = client.post("/jobs", json=body).json()["job_id"]
        log = strict_door.root / "logs" / f"{job_id}.log"
        late: list[float] = []
        texts: list[str] = []

        def watch(_number: int) -> None:
            text = ""
            with client.stream("GET", f"/jobs/{job_id}/logs/stream?offset=0") as answer:
                for line in answer.iter_lines():
                    if line.startswith("data: ") and "text" in (data := json.loads(line[6:])):
                        text += data["text"]
                        late.append(time.time() - float(text.splitlines()[-1]))
            texts.append(text)

        watchers = [threading.Thread(target=watch, args=(number,)) for number in range(10)]
        for watcher in watchers:
            watcher.start()
        time.sleep(0.5)
        for _ in range(10):
            with log.open("a") as out:
                out.write(f"{time.time()}\n")
            time.sleep(0.1)
        client.post(f"/jobs/{job_id}/cancel")
        for watcher in watchers:
            watcher.join(timeout=10)
    assert texts == [log.read_text()] * 10
    assert max(late) < 0.5
