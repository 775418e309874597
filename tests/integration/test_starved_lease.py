"""A lease is renewed in time on a real Redis while the interpreter has its hands full."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import Claim, JobRequest
from core.domain.limits import UserLimits
from core.domain.metrics import MAX_BYTES
from core.settings import Settings
from runner.lease.lease import Lease
from tests.conftest import redis_url

pytestmark = [pytest.mark.integration, pytest.mark.alone]

LEASE_SECONDS = Settings.model_fields["lease_seconds"].default
HELD_SECONDS = LEASE_SECONDS / 3
LONGEST_GAP_SECONDS = LEASE_SECONDS / 4
SPINNING = 6
LARGE = json.dumps([{"name": f"metric {number}", "value": number * 1.5} for number in range(4 * MAX_BYTES // 40)])
"""Four times what the runner reads of a run; parsed in one call that lets no other thread in."""


def spin() -> None:
    sum(range(100))


def parse() -> None:
    json.loads(LARGE)


def match() -> None:
    re.fullmatch("(a+)+b", "a" * 20)


@contextmanager
def kept_busy(*works: Callable[[], None]) -> Iterator[None]:
    """Each work over and over in a thread of its own."""
    ended = threading.Event()

    def repeat(work: Callable[[], None]) -> None:
        while not ended.is_set():
            work()

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_threads_that_never_wait_do_not_starve_the_lease(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 5: between two renewals is never more than a quarter of the lease."""
    client = connect(redis_url())
    ledger = RedisJobStatus(client)
    request = JobRequest(submission_id="0" * 32, user_id="ann", resource_class="small", benchmark="synthetic")
    ledger.admit(request, UserLimits())
    claim = ledger.claim("small", worker="w", lease_seconds=LEASE_SECONDS, running_limit=1)
    assert claim is not None
    renew, renewed = ledger.renew, list[float]()

    def noted(held: Claim, *, lease_seconds: float) -> bool:
        cancelled = renew(held, lease_seconds=lease_seconds)
        renewed.append(time.monotonic())
        return cancelled

    monkeypatch.setattr(ledger, "renew", noted)
    began = time.monotonic()
    busy = kept_busy(*[spin] * SPINNING, parse, match)
    with Lease(ledger, claim, lease_seconds=LEASE_SECONDS, stopping=threading.Event()) as lease, busy:
        time.sleep(HELD_SECONDS)
        moments = [began, *renewed, time.monotonic()]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert max(gaps) < LONGEST_GAP_SECONDS, gaps
    assert not lease.lost
    client.close()
