"""Releases results that wait for the tracking server: one probe for all of them, then a few at a time, in order."""

from __future__ import annotations

import random

from core.domain.errors import Unavailable
from core.ports.job_status import JobStatusPort
from core.ports.tracking import TrackingPort

RANDOM = random.SystemRandom()
"""For jitter, so that several sites on one server do not retry in step."""


def take_up(ledger: JobStatusPort, tracking: TrackingPort, host: str) -> int:
    """Releases some of this host's results and returns how many; 0 if it is another runner's turn or the pause lasts.

    Raises Unavailable when the server does not answer.
    """
    if not ledger.recording_turn(host, jitter=RANDOM.random()):
        return 0
    try:
        tracking.check()
    except Unavailable:
        ledger.recording_in_vain(jitter=RANDOM.random())
        raise
    return ledger.release_results(host)
