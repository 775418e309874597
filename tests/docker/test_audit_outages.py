"""DOR-7 on a real gateway and a Redis of the test's own: full, refusing writes, and restarted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import redis

from tests.docker.own_parts import OwnPart, own_redis
from tests.running_gateway import environment, gateway_process, gateway_thread

pytestmark = pytest.mark.docker


@dataclass(frozen=True, kw_only=True)
class Site:
    """A gateway's admin, a user, and the Redis beneath them."""

    admin: httpx2.Client
    user: httpx2.Client
    server: OwnPart
    ledger: redis.Redis

    def trail(self) -> list[tuple[str, str, str, int | None]]:
        items = self.admin.get("/admin/audit", params={"limit": 200}).json()["items"]
        return [
            (one["action"], one["target"], one["outcome"], one["status"])
            for one in items
            if one["action"] != "audit.read"
        ]


@pytest.fixture
def site(tmp_path: Path, fresh_name: str) -> Iterator[Site]:
    with own_redis(fresh_name) as server, redis.Redis.from_url(server.url, decode_responses=True) as ledger:
        settings = environment(tmp_path, redis_url=server.url, mlflow_url="http://127.0.0.1:1")
        with (
            gateway_thread(tmp_path, settings) as door,
            door.client(door.admin_token) as admin,
            door.client() as user,
        ):
            yield Site(admin=admin, user=user, server=server, ledger=ledger)


def test_with_a_full_memory_admins_still_act_and_are_recorded(site: Site) -> None:
    """What frees memory is done by them; new accounts do not fit, and the refusal is recorded, too."""
    assert site.admin.post("/users", json={"name": "carl"}).status_code == 201
    site.ledger.config_set("maxmemory", "1")
    assert site.admin.post("/users", json={"name": "dora"}).status_code == 503
    assert site.admin.delete("/users/nobody").status_code == 404
    site.ledger.config_set("maxmemory", "64mb")
    assert site.trail() == [
        ("account.remove", "nobody", "refused", 404),
        ("account.add", "dora", "failed", 503),
        ("account.add", "carl", "done", 201),
    ]


def test_where_no_write_is_taken_nothing_is_done_and_figures_are_still_there(site: Site) -> None:
    """As with a full disk: 503 before the step; what an outage is looked at with is still answered."""
    site.admin.post("/users", json={"name": "carl"})
    site.ledger.config_set("min-replicas-to-write", 1)  # refuses every write, and answers every read
    assert site.admin.delete("/users/carl").status_code == 503
    for path in ("/admin/dead-letters", "/admin/audit", "/metrics"):
        assert site.admin.get(path).status_code == 200
    assert site.admin.get("/jobs").status_code == 503  # shows what is others'
    assert site.user.get("/jobs").status_code == 200
    site.ledger.config_set("min-replicas-to-write", 0)
    assert [one["name"] for one in site.admin.get("/users").json()["items"]] == ["carl"]
    assert [row for row in site.trail() if row[0].startswith("account.remove")] == []


def test_the_trail_outlives_the_ledgers_end(site: Site) -> None:
    """REL-1: what was answered is on disk."""
    site.admin.post("/users", json={"name": "carl"})
    site.server.kill()
    assert site.admin.delete("/users/carl").status_code == 503
    site.server.start()
    assert site.trail() == [("account.add", "carl", "done", 201)]


@pytest.mark.parametrize(("trusted", "seen"), [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.9")])
def test_from_where_is_what_trusted_proxies_say_and_nobody_else(
    tmp_path: Path, fresh_name: str, trusted: str, seen: str
) -> None:
    """As the image starts it: a forged X-Forwarded-For counts for nothing, also where the server would take it."""
    with own_redis(fresh_name) as server:
        settings = environment(
            tmp_path,
            redis_url=server.url,
            mlflow_url="http://127.0.0.1:1",
            TRUSTED_PROXIES=trusted,
            FORWARDED_ALLOW_IPS="*",
        )
        with gateway_process(tmp_path, settings) as (door, _process), door.client(door.admin_token) as admin:
            admin.delete("/users/nobody", headers={"X-Forwarded-For": "203.0.113.5, 192.0.2.9"})
            (entry,) = admin.get("/admin/audit", params={"action": "account.remove"}).json()["items"]
    assert entry["address"] == seen
