"""Results that wait for the tracking server: one probe for all of them, then a few at a time, in their order."""

from __future__ import annotations

import random

from core.domain.errors import Unavailable
from core.ports.job_status import JobStatusPort
from core.ports.tracking import TrackingPort

RANDOM = random.SystemRandom()
"""Several sites on one server do not come back to it in step."""


def take_up(ledger: JobStatusPort, tracking: TrackingPort, host: str) -> int:
    """How many of this host's are taken up now; none while it is another runner's turn, or the pause is not over.

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
