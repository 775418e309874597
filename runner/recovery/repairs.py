"""Counts what the sweeper mended, and writes each case to the process's log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import structlog

from core.domain.errors import Unavailable
from core.ports.runners import RunnersPort

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mended:
    """The counts of all processes together."""

    runners: RunnersPort

    def __call__(self, what: str, job_id: str = "", **facts: object) -> None:
        """Counts one case of `what`. Never raises: the log has it."""
        log.warning("swept", what=what, job_id=job_id, **facts)
        with suppress(Unavailable):
            self.runners.count_mended(what)
