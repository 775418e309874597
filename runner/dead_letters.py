"""Keeps failed steps as dead letters with their traceback, so that admins see them whatever became of the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps

import structlog

from core.domain.dead_letter import failure_of
from core.domain.errors import LeadersboardError
from core.domain.job import Job
from core.ports.dead_letters import DeadLettersPort
from runner.process_name import process_name

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetterWriter:
    """Keeps failures where the ledger takes them."""

    dead_letters: DeadLettersPort
    process: str = field(default_factory=process_name)

    def keep(self, step: str, error: BaseException, job: Job | None = None) -> None:
        """Never raises: it is called when something has failed already."""
        known = {"job_id": job.job_id, "user_id": job.user_id, "attempt": job.attempt} if job else {}
        try:
            self.dead_letters.keep(failure_of(step, error, process=self.process, **known))  # type: ignore[arg-type]
        except LeadersboardError as problem:
            log.warning("dead letter not kept", step=step, error=str(problem))

    def keeping(self, step: Callable[[], None]) -> Callable[[], None]:
        """Wraps a step of a sweep so that unexpected errors become dead letters. Raises what the step raises."""

        @wraps(step)
        def carried_out() -> None:
            try:
                step()
            except (LeadersboardError, OSError):
                raise
            except Exception as error:  # whatever broke becomes a letter for an admin
                self.keep(f"sweep {step.__name__}", error)
                raise

        return carried_out
