"""The listener for wake-ups gives a connection up that is silent; what the rest does is tried on a real Redis."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from core.adapters import dramatiq_broker
from core.adapters.dramatiq_broker import WakeUps


class SilentSubscription:
    """A connection whose peer is gone without a word: neither messages nor errors."""

    def __init__(self) -> None:
        self.pings = 0

    def get_message(self, timeout: float) -> None:
        assert timeout > 0

    def ping(self) -> None:
        self.pings += 1


def test_a_connection_that_answers_no_ping_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a worker would poll until its end, and nothing would say so."""
    clock = iter(range(1000))
    monkeypatch.setattr(dramatiq_broker.time, "monotonic", lambda: float(next(clock)))
    subscription: Any = SilentSubscription()
    with pytest.raises(redis.ConnectionError, match="no answer"):
        WakeUps(redis.Redis(), "channel")._listen(subscription)
    assert subscription.pings == 3
