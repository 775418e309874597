"""Removes unfinished uploads of gateway processes that were killed, in a background thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from core.domain.errors import LeadersboardError
from core.ports.storage import StoragePort

EVERY_SECONDS = 20.0

log = structlog.get_logger(__name__)


@contextmanager
def kept_up(storage: StoragePort) -> Iterator[None]:
    """Clean up while the context lasts. Several gateways may do so at once: uploads in progress are locked."""
    ended = threading.Event()
    threading.Thread(target=_run, args=(storage, ended), daemon=True, name="upkeep").start()
    try:
        yield
    finally:
        ended.set()


def _run(storage: StoragePort, ended: threading.Event) -> None:
    while not ended.wait(EVERY_SECONDS):
        try:
            removed = storage.clear_staging()
        except (LeadersboardError, OSError) as error:
            log.warning("staging not cleared", error=str(error))
        except Exception:  # the thread must not end: disks would fill
            log.exception("upkeep broke")
        else:
            if removed:
                log.warning("broken-off uploads removed", count=removed)
