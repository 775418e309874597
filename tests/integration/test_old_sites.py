"""A site that an earlier version left is served as it was: jobs, logs, results, boards, users, acts of admins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from tests.conftest import redis_url
from tests.old_sites.make import PASSWORD, answer
from tests.old_sites.restore import VERSIONS, restore
from tests.running_gateway import Door, environment, gateway_process

pytestmark = pytest.mark.integration

OF_THE_MOMENT = {
    "artifacts", "artifacts_available", "changed", "estimate", "next_cursor", "notice", "queue_position", "tracking",
}  # fmt: skip
"""What depends on who runs jobs now, or on the MLflow server, whose runs are not part of the data."""


@dataclass(frozen=True, kw_only=True)
class OldSite:
    """A gateway of today on the data of then."""

    door: Door
    then: Mapping[str, Mapping[str, Any]]

    def now(self, user: str, path: str) -> Any:
        with self.door.client({"ann": Door.token, "admin": Door.admin_token}[user]) as client:
            return answer(client, path)


@pytest.fixture(params=VERSIONS)
def site(
    request: pytest.FixtureRequest, redis_client: redis.Redis, mlflow_url: str, tmp_path: Path
) -> Iterator[OldSite]:
    then = restore(request.param, redis_client, tmp_path)
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url, RETENTION_DAYS="0")
    with gateway_process(tmp_path, env) as (door, _process):
        yield OldSite(door=door, then=then)


def missing(then: Any, now: Any, where: str = "") -> Iterator[str]:
    """What was answered then and is not now; what a later version answers besides does not count."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in then.keys() - OF_THE_MOMENT:
            yield from missing(then[name], now.get(name), f"{where}.{name}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from missing(one, other, f"{where}[{number}]")
    elif then != now:
        yield f"{where}: {then!r} then, {now!r} now"


def test_everything_is_answered_as_it_was(site: OldSite) -> None:
    for user, answers in site.then.items():
        for path, then in answers.items():
            if path != "/admin/audit":
                assert list(missing(then, site.now(user, path))) == [], (user, path)


def test_acts_of_admins_are_kept(site: OldSite) -> None:
    """Reading the trail is an act as well, which stands before the old ones."""
    then, now = (found["items"] for found in (site.then["admin"]["/admin/audit"], site.now("admin", "/admin/audit")))
    assert list(missing(then[1:], now[1 - len(then) :])) == []  # the first is the reading that was under way then


def test_a_user_of_then_signs_in(site: OldSite) -> None:
    with httpx2.Client(base_url=site.door.url, trust_env=False) as client:
        answered = client.post("/auth/login", json={"username": "cleo", "password": PASSWORD})
    assert answered.status_code == 200


def test_a_submission_of_then_runs_again(site: OldSite) -> None:
    """Its files are packed as they were uploaded, and the same job posted anew is another one."""
    submission = site.then["ann"]["/submissions"]["items"][0]["submission_id"]
    with site.door.client() as client:
        packed = client.get(f"/submissions/{submission}/archive")
        job = client.post("/jobs", json={"submission_id": submission, "config": {"seed": 9}})
    assert (packed.status_code, packed.content[:2], job.status_code) == (200, b"\x1f\x8b", 202)
