"""What an admin does over HTTP, down to a real runner on the real engine."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest

from tests.conftest import redis_url
from tests.docker.runner_site import Site, until
from tests.running_gateway import environment, gateway_process
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker


def answered(answer: httpx2.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def test_an_admin_pauses_a_runner_and_repeats_what_the_platform_failed(site: Site, mlflow_url: str) -> None:
    """Issue 5: paused by its name it takes no job, resumed it does.

    A job that the platform failed is listed with its way through the code; a retry completes once the cause is mended.
    """
    env = environment(site.root, redis_url=redis_url(), mlflow_url=mlflow_url)
    folder, away = site.root / "benchmarks" / site.benchmark / "public", site.root / "away"
    wanted = {
        "submission_id": site.upload(GOOD, "ann").submission_id,
        "config": {"benchmark": site.benchmark, "resource_class": "small"},
    }
    runner_process, gateway = site.runner(), gateway_process(site.root, env)
    with runner_process, gateway as (door, _process), door.client() as ann, door.client(door.admin_token) as admin:
        state = lambda: [one["state"] for one in answered(admin.get("/admin/runners"))["runners"]]  # noqa: E731
        status = lambda job_id: answered(ann.get(f"/jobs/{job_id}/status"))  # noqa: E731
        until(lambda: state() == ["ready"], "the runner is there")
        (runner,) = answered(admin.get("/admin/runners"))["runners"]
        answered(admin.post(f"/admin/runners/{runner['name']}/pause"))
        job_id = answered(ann.post("/jobs", json=wanted))["job_id"]
        until(lambda: state() == ["paused"], "it says that it is paused")
        time.sleep(2)
        assert status(job_id)["status"] == "pending"
        assert "No runner is ready" in status(job_id)["notice"]

        folder.rename(away)
        answered(admin.post(f"/admin/runners/{runner['name']}/resume"))
        until(lambda: status(job_id)["status"] == "failed", "the platform gives up")
        assert status(job_id)["failure_reason"] == "platform"
        away.rename(folder)

        (letter,) = answered(admin.get("/admin/dead-letters"))["items"]
        assert (letter["job_id"], letter["user_id"], letter["count"]) == (job_id, "ann", 3)
        assert letter["frames"]
        again = answered(admin.post(f"/admin/dead-letters/{letter['letter_id']}/retry"))["job_id"]
        until(lambda: status(again)["status"] == "completed", "the retry completes")
        assert status(again)["rerun_of"] == job_id
        assert status(job_id)["status"] == "failed"
        assert answered(admin.get("/admin/dead-letters"))["items"] == []
