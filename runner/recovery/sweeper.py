"""Mends what a crash left, in rounds: of the ledger, the engine, the tracking server and the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.dead_letters import DeadLetterWriter
from runner.recovery.engine import EngineSteps
from runner.recovery.files import FileSteps
from runner.recovery.ledger import LedgerSteps
from runner.recovery.periodic import Round, Step, attempted
from runner.recovery.rescores import Rescores
from runner.recovery.tracking import TrackingSteps

TICK_SECONDS = 1.0
TIDY_SECONDS = 60.0
TEMPORARY_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweeper:
    """Safe in every runner at once: each step is atomic in the ledger or may be repeated."""

    ledger: LedgerSteps
    engine: EngineSteps
    tracking: TrackingSteps
    files: FileSteps
    rescores: Rescores
    letters: DeadLetterWriter

    def rounds(self, every_seconds: float) -> tuple[Round, ...]:
        """The steps by what may hang, with the seconds between two turns. What a user waits for is due each second."""
        often = min(TICK_SECONDS, every_seconds)
        ledger, engine, tracking, files = self.ledger, self.engine, self.tracking, self.files
        paces: Mapping[str, tuple[tuple[float, Step], ...]] = {
            "locks": ((often, ledger.dead_claims),),
            "ledger": ((often, ledger.claims), (every_seconds, ledger.doorbells)),
            "engine": ((often, engine.freed), (every_seconds, engine.leftovers)),
            "folders": (  # and the engine, for what these files say of it
                (every_seconds, files.overdue),
                (every_seconds, files.folders),
                (every_seconds, files.of_dead_processes),
                (TIDY_SECONDS, files.canaries),
            ),
            "tracking": (
                (every_seconds, tracking.waiting_results),
                (TIDY_SECONDS, tracking.old_results),  # first: then the ledger knows the job of each run
                (TIDY_SECONDS, tracking.open_runs),
                (TIDY_SECONDS, tracking.untrue),
            ),
            "rescores": ((every_seconds, self.rescores.one),),
            "files": ((often, files.last_lines), (TEMPORARY_SECONDS, files.temporary), (TIDY_SECONDS, files.trials)),
        }
        return tuple(
            Round(part=part, steps=tuple((seconds, self.letters.keeping(step)) for seconds, step in steps))
            for part, steps in paces.items()
        )

    def sweep(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Runs once all steps that are due every few seconds; begins no further step once `is_over` returns True."""
        ledger, engine, tracking, files = self.ledger, self.engine, self.tracking, self.files
        first = (ledger.dead_claims, ledger.claims, files.last_lines, tracking.waiting_results)
        then = (ledger.doorbells, files.overdue, files.of_dead_processes, engine.leftovers, files.folders)
        for step in (*first, *then):
            if not is_over():
                attempted(self.letters.keeping(step))
