"""The contract of runners' reports and admins' wishes, one text for the twin in memory and for Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import redis

from core.adapters.redis.connection import connect
from core.adapters.redis.runners import KEY, RedisRunners
from core.domain.errors import Unavailable
from core.domain.image_packages import ImagePackage, ImagePackages
from core.domain.runners import HostReport, RunnerReport, RunnerState, SandboxFigures, Wish
from core.ports.runners import RunnersPort
from tests.twins.runners import MemoryRunners

pytestmark = pytest.mark.contract

DAY = 86_400


@pytest.fixture(params=["memory", "redis"])
def runners(request: pytest.FixtureRequest) -> Iterator[RunnersPort]:
    if request.param == "memory":
        yield MemoryRunners()
        return
    yield RedisRunners(request.getfixturevalue("redis_client"))


def report(name: str = "box:1", **changes: object) -> RunnerReport:
    known = {"name": name, "host": "engine", "version": "1", "since": datetime.now(UTC), "state": RunnerState.READY}
    return RunnerReport.model_validate(known | changes)


def test_what_a_runner_tells_is_told_again(runners: RunnersPort) -> None:
    """BOX-11: admins see the latest report of each runner, and how long ago it came."""
    runners.publish(report("b:2"))
    runners.publish(report("a:1", state=RunnerState.REFUSED, reason="the canary"))
    runners.publish(report("b:2", jobs=("j" * 32,)))
    first, second = runners.runners()
    assert (first.report.name, first.report.state, first.report.reason) == ("a:1", "refused", "the canary")
    assert second.report.jobs == ("j" * 32,)
    assert 0 <= second.silent_seconds < 60
    assert (first.is_ready_for(), second.is_ready_for(), second.is_ready_for("small")) == (False, True, False)


def test_the_packages_of_an_image_are_told_again(runners: RunnersPort) -> None:
    """FLD-8: one list for each image, the latest."""
    first = ImagePackages(image_id="sha256:1", markers={"os_name": "posix"}, packages=())
    second = ImagePackages(
        image_id="sha256:1", markers={}, packages=(ImagePackage(name="a", version="1", extra_needs=("b",)),)
    )
    runners.publish_image(first)
    runners.publish_image(second)
    assert list(runners.images()) == [second]


def test_what_a_host_tells_is_told_again(runners: RunnersPort) -> None:
    """BOX-11: the living sandboxes with their figures."""
    figures = SandboxFigures(
        name="job-x", job_id="x", user_id="ann", attempt=1, image="i", status="running", age_seconds=2.5,
        cpu_percent=99.5, memory_bytes=5, pids=3, gpu="GPU-1", security=("user 60001",),
    )  # fmt: skip
    runners.publish_host(HostReport(host="engine", engine={"engine": "26"}, sandboxes=(figures,)))
    (seen,) = runners.hosts()
    assert seen.report.sandboxes == (figures,)
    assert seen.report.engine == {"engine": "26"}


def test_wishes_are_kept_until_the_next_one(runners: RunnersPort) -> None:
    """Issue 5: a pause of a host holds for every runner of it, and the stricter of two wishes counts."""
    runners.publish(report())
    assert runners.wish("box:1", "engine") is Wish.RUN
    runners.set_wish("engine", Wish.DRAIN)
    runners.set_wish("box:1", Wish.PAUSE)
    assert runners.wish("box:1", "engine") is Wish.DRAIN
    assert runners.runners()[0].wish is Wish.DRAIN
    runners.set_wish("engine", Wish.RUN)
    assert runners.wish("box:1", "engine") is Wish.PAUSE


def test_of_many_who_ask_one_has_the_turn(runners: RunnersPort) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda _number: runners.turn("look", 30), range(40)))
    assert turns.count(True) == 1
    assert runners.turn("other", 0.05)
    time.sleep(0.5)
    assert runners.turn("other", 30)


def test_who_has_a_turn_may_keep_it(runners: RunnersPort) -> None:
    """Work that takes longer than was thought stays one process's; one that is over belongs to whoever asks next."""
    assert runners.turn("work", 0.3)
    runners.keep_turn("work", 30)
    runners.keep_turn("nobody's", 30)
    time.sleep(0.5)
    assert not runners.turn("work", 30)
    assert runners.turn("nobody's", 30)


def test_a_turn_of_tomorrow_is_over_today(redis_client: redis.Redis) -> None:
    """Redis's clock was set back by a day: hosts are told of all the same."""
    runners, key = RedisRunners(redis_client), KEY + "turn:look"
    assert runners.turn("look", 30)
    told = [float(moment) + DAY for moment in str(redis_client.get(key)).split()]
    redis_client.set(key, " ".join(f"{moment:.6f}" for moment in told), ex=DAY)
    assert [runners.turn("look", 30) for _ in range(2)] == [True, False]


def test_what_is_mended_is_counted_by_kind(runners: RunnersPort) -> None:
    """Issue 5: of all sweepers together, also when they count at once."""
    assert runners.mended() == {}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(runners.count_mended, ["lease"] * 30 + ["doorbell"] * 10))
    assert runners.mended() == {"doorbell": 10, "lease": 30}


def test_a_canary_is_taken_once(runners: RunnersPort) -> None:
    assert not runners.take_canary("engine")
    runners.ask_canary("engine")
    assert [runners.take_canary("engine") for _ in range(2)] == [True, False]


def test_a_runner_long_gone_is_forgotten(request: pytest.FixtureRequest) -> None:
    """Its report was of another hour; what is shown stays small for ever."""
    client = request.getfixturevalue("redis_client")
    runners = RedisRunners(client)
    runners.publish(report("new:1"))
    client.hset(KEY + "processes", "old:1", "1000.000000 " + report("old:1").model_dump_json())
    assert [seen.report.name for seen in runners.runners()] == ["new:1"]
    assert client.hlen(KEY + "processes") == 1


def test_redis_away_is_unavailable() -> None:
    away = RedisRunners(connect("redis://127.0.0.1:1/0"))
    for call in (away.runners, away.hosts, lambda: away.publish(report()), lambda: away.wish("a")):
        with pytest.raises(Unavailable):
            call()


def test_a_runner_that_has_ended_is_listed_no_more(runners: RunnersPort) -> None:
    """Nor what was wished of it; its host goes with its last runner."""
    for name, host in (("a:1", "engine"), ("b:2", "engine"), ("c:3", "other")):
        runners.publish(report(name, host=host))
        runners.publish_host(HostReport(host=host))
        runners.set_wish(name, Wish.PAUSE)
    runners.withdraw("a:1", "engine")
    assert [seen.report.name for seen in runners.runners()] == ["b:2", "c:3"]
    assert [seen.report.host for seen in runners.hosts()] == ["engine", "other"]
    runners.withdraw("b:2", "engine")
    assert [seen.report.host for seen in runners.hosts()] == ["other"]
    assert (runners.wish("a:1"), runners.wish("c:3")) == (Wish.RUN, Wish.PAUSE)


def aged(client: redis.Redis, kind: str, name: str, seconds: float) -> None:
    """That report came so many seconds earlier."""
    moment, _blank, text = str(client.hget(KEY + kind, name)).partition(" ")
    client.hset(KEY + kind, name, f"{float(moment) - seconds:.6f} {text}")


def test_a_silent_runner_is_silent_and_then_gone(redis_client: redis.Redis) -> None:
    """What it reported last does not count any more: neither state nor jobs; after five minutes it is removed."""
    runners = RedisRunners(redis_client)
    runners.publish(report("a:1", jobs=("j" * 32,)))
    runners.publish_host(HostReport(host="engine"))
    aged(redis_client, "processes", "a:1", 21)
    (seen,) = runners.runners()
    assert (seen.state, seen.jobs, seen.is_ready_for()) == (RunnerState.SILENT, (), False)
    assert seen.reason == "no report for 21 s; the last one said ready"
    aged(redis_client, "processes", "a:1", 280)
    aged(redis_client, "hosts", "engine", 301)
    assert runners.runners() == []
    assert redis_client.hlen(KEY + "processes") == 0
    assert [one.is_silent for one in runners.hosts()] == [True]
    aged(redis_client, "hosts", "engine", 3300)
    assert runners.hosts() == []


def test_a_report_of_tomorrow_does_not_keep_a_dead_runner_alive(redis_client: redis.Redis) -> None:
    """Redis's clock was set back by a day since: from now on its silence counts."""
    runners = RedisRunners(redis_client)
    runners.publish(report("a:1"))
    aged(redis_client, "processes", "a:1", -DAY)
    assert runners.runners()[0].silent_seconds == 0
    aged(redis_client, "processes", "a:1", 21)
    assert runners.runners()[0].state is RunnerState.SILENT
