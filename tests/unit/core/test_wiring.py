"""Wiring: settings in, ports out, without a word to any service before it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.dramatiq_queue import ACTOR, DramatiqQueue, queue_name
from core.adapters.redis.connection import redis_errors
from core.domain.errors import Unavailable
from core.settings import Settings
from core.wiring import open_broker, open_ports

pytestmark = pytest.mark.unit

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """Settings of a site whose services are all away."""
    return Settings(
        redis_url=NOWHERE,
        mlflow_tracking_uri="http://127.0.0.1:1",
        upload_root=tmp_path,
        log_root=tmp_path,
        benchmark_root=tmp_path,
    )


def test_opening_asks_no_service(nowhere: Settings) -> None:
    """A process starts while the services it needs are still coming up."""
    with open_ports(nowhere) as ports:
        ports.storage.check()


def test_each_part_says_that_it_is_away(nowhere: Settings) -> None:
    """No foreign exception leaves an adapter: each refusal is Unavailable, in words for the user."""
    with open_ports(nowhere) as ports:
        for ask in (
            ports.job_status.check,
            ports.tracking.check,
            lambda: ports.job_status.get("x"),
            ports.job_status.list_jobs,
            lambda: ports.job_queue.ring("small"),
            lambda: ports.job_queue.silent("small"),
            lambda: ports.tracking.get_run("f" * 32),
            lambda: ports.results.of_benchmark("synthetic"),
            lambda: ports.results.owners(["x"]),
            ports.results.unsealed,
            lambda: ports.rate_limit.refund("ada", "x"),
        ):
            with pytest.raises(Unavailable, match="does not answer"):
                ask()


def test_a_given_broker_is_used(nowhere: Settings) -> None:
    """The runner brings its own."""
    broker = open_broker(nowhere)
    with open_ports(nowhere, broker=broker) as ports:
        assert isinstance(ports.job_queue, DramatiqQueue)
        assert ports.job_queue._broker is broker


def test_queues_are_named_after_classes() -> None:
    """The names that gateway and runner agree on."""
    assert (ACTOR, queue_name("small")) == ("run_next", "jobs.small")


def test_our_own_errors_pass_unchanged() -> None:
    """Only Redis's errors are translated."""
    with pytest.raises(ZeroDivisionError), redis_errors():
        raise ZeroDivisionError
