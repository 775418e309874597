"""A Redis that takes no write, or has no memory left, is read as before: every GET of the API answers the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.runners import RedisRunners
from core.domain.errors import Unavailable
from core.domain.runners import FORGOTTEN_SECONDS, HostReport
from tests.contract.test_runners import report
from tests.docker.own_parts import own_redis
from tests.running_gateway import environment, gateway_thread

pytestmark = pytest.mark.docker

REFUSING = [("maxmemory", "1", "64mb"), ("min-replicas-to-write", "1", "0")]
ENDLESS = "/jobs/{job_id}/logs/stream"
CHANGING = {"/health/ready"}
"""What tells of the outage itself."""


class Ids(dict[str, str]):
    """Of a thing that is not known here the id of none."""

    def __missing__(self, name: str) -> str:
        return "x"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A gateway, its users, a job of ann's, and the Redis beneath them."""

    admin: httpx2.Client
    ann: httpx2.Client
    ids: Ids
    ledger: redis.Redis

    def paths(self) -> list[str]:
        """Every address that is read, with the ids of what is there."""
        described: dict[str, Any] = self.admin.get("/openapi.json").json()["paths"]
        reads = [path for path, methods in described.items() if "get" in methods and path not in {ENDLESS, *CHANGING}]
        return [path.format_map(self.ids) for path in reads]

    def answers(self, who: httpx2.Client) -> dict[str, int]:
        return {path: who.get(path).status_code for path in self.paths()}


@pytest.fixture
def site(tmp_path: Path, fresh_name: str) -> Iterator[Site]:
    with own_redis(fresh_name) as server, redis.Redis.from_url(server.url, decode_responses=True) as ledger:
        settings = environment(tmp_path, redis_url=server.url, mlflow_url="http://127.0.0.1:1")
        with (
            gateway_thread(tmp_path, settings) as door,
            door.client(door.admin_token) as admin,
            door.client() as ann,
        ):
            RedisRunners(ledger).publish(report())
            RedisRunners(ledger).publish_host(HostReport(host="engine"))
            files = [("files", ("main.py", b"")), ("files", ("config.yaml", b""))]
            submission = ann.post("/submissions", files=files).json()["submission_id"]
            job = ann.post("/jobs", json={"submission_id": submission, "config": {"benchmark": "synthetic"}}).json()
            ids = Ids(job_id=job["job_id"], submission_id=submission)
            yield Site(admin=admin, ann=ann, ids=ids, ledger=ledger)


@pytest.mark.parametrize(("setting", "refusing", "usual"), REFUSING)
def test_what_is_read_is_answered_as_before(site: Site, setting: str, refusing: str, usual: str) -> None:
    """Only what an admin reads of others' is refused, since that must be recorded (DOR-7)."""
    own, all_of_it = site.answers(site.ann), site.answers(site.admin)
    site.ledger.config_set(setting, refusing)
    try:
        assert site.answers(site.ann) == own
        now = site.answers(site.admin)
    finally:
        site.ledger.config_set(setting, usual)
    differing = {path for path, status in now.items() if status != all_of_it[path]}
    assert {now[path] for path in differing} <= {503}
    recorded = {path for path in now if path.startswith(("/jobs", "/submissions"))}
    assert differing <= recorded, differing
    assert {"/admin/overview", "/admin/runners", "/metrics"} <= {path for path, status in now.items() if status == 200}


@pytest.mark.parametrize(("setting", "refusing", "usual"), REFUSING)
def test_the_ledgers_questions_need_no_write(site: Site, setting: str, refusing: str, usual: str) -> None:
    """Those of runners and of the gateway; a write is refused as such."""
    ledger, job = RedisJobStatus(site.ledger), site.ids["job_id"]
    site.ledger.config_set(setting, refusing)
    try:
        assert ledger.positions([job]) == {job: 1}
        assert (ledger.pending("small"), ledger.orphans("engine"), ledger.waiting_results("engine")) == (1, 0, 0)
        assert not ledger.is_held(job)
        if setting == "min-replicas-to-write":
            with pytest.raises(Unavailable):
                ledger.cancel(job)
    finally:
        site.ledger.config_set(setting, usual)


def test_runners_whose_reports_are_old_are_left_out_where_they_cannot_be_removed(site: Site) -> None:
    """And go with the first reader who may write."""
    runners = RedisRunners(site.ledger)
    key, now = "leaderboard:runners:processes", site.ledger.time()[0]
    for name, at in (("gone:1", now - 2 * FORGOTTEN_SECONDS), ("ahead:1", now + 1000)):
        site.ledger.hset(key, name, f"{at} {report(name).model_dump_json()}")
    site.ledger.config_set("min-replicas-to-write", 1)
    try:
        assert [(one.report.name, one.silent_seconds < 60) for one in runners.runners()] == [
            ("ahead:1", True),
            ("box:1", True),
        ]
        assert "gone:1" in site.ledger.hgetall(key)
    finally:
        site.ledger.config_set("min-replicas-to-write", 0)
    runners.runners()
    assert set(site.ledger.hgetall(key)) == {"ahead:1", "box:1"}
    assert float(site.ledger.hgetall(key)["ahead:1"].split()[0]) <= site.ledger.time()[0] + 1
