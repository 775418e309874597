"""Removes once a day what is older than RETENTION_DAYS, in one gateway of the site, in a background thread (RUN-7)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from core.domain.errors import LeadersboardError
from core.usecases.retention import Retention
from core.wiring import Ports

FIRST_SECONDS = 300.0
"""Delay after the start, so that retention does not compete with the first requests."""
EVERY_SECONDS = 24 * 3600.0
ASK_SECONDS = 1800.0
AT_IT_SECONDS = 900.0
"""Longer than a round takes. After it another gateway may go on where one died or met an outage."""
PAUSE_SECONDS = 5.0
"""Pause between two rounds, so that others can use Redis and the disks."""
MOST_ROUNDS = 200
TURN = "retention"

log = structlog.get_logger(__name__)


@contextmanager
def carried_out_daily(retention: Retention, ports: Ports, *, days: int) -> Iterator[None]:
    """Carry out retention each day while the context lasts. `days` is RETENTION_DAYS."""
    ended = threading.Event()
    threading.Thread(target=_run, args=(retention, ports, days, ended), daemon=True, name="retention").start()
    try:
        yield
    finally:
        ended.set()


def _run(retention: Retention, ports: Ports, days: int, ended: threading.Event) -> None:
    wait = FIRST_SECONDS
    while not ended.wait(wait):
        wait = ASK_SECONDS
        try:
            rounds_of_today(retention, ports, days=days, ended=ended)
        except LeadersboardError as error:
            log.warning("retention not done", error=str(error))
        except Exception:  # the thread must not end: disks would fill
            log.exception("retention broke")


def rounds_of_today(retention: Retention, ports: Ports, *, days: int, ended: threading.Event) -> bool:
    """Run rounds until nothing is left to remove, in one gateway a day. Returns whether it is done. Raises Unavailable.

    With RETENTION_DAYS=0 nothing is removed, and the ledger's records lose their expiry.

    The day's turn is kept only when all is done: after an outage, or when this process ends, a gateway goes on later.
    """
    if not ports.runners.turn(TURN, AT_IT_SECONDS):
        return False
    if not days:
        log.info("kept for ever", jobs=retention.records.keep_all())
    for _round in range(MOST_ROUNDS if days else 0):
        done = retention.carry_out(days)
        if done.is_empty and not done.hindered:
            break
        if done.hindered or ended.wait(PAUSE_SECONDS):
            return False
        ports.runners.keep_turn(TURN, AT_IT_SECONDS)
    ports.audit.trim()
    ports.runners.keep_turn(TURN, EVERY_SECONDS)
    return True
