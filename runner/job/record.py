"""Records the result of a passed run at the tracking server, in the MLflow run that the ledger knows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.domain.job import Claim
from core.domain.sealed_result import SealedResult
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Verdict
from runner.job.context import Workbench
from runner.job.result import recorded, result_of
from runner.lease.lease import AnswerT


class Tell(Protocol):
    """Asks or changes the ledger, and repeats that until it answers."""

    def __call__(self, step: Callable[[], AnswerT]) -> AnswerT: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorder:
    """Records the result of one attempt. Passes on what `tell` and the callbacks raise."""

    parts: Workbench
    claim: Claim
    run: str
    """The run's name in the engine and on disk; the same for every runner that records it."""
    tell: Tell

    def record(
        self,
        verdict: Verdict,
        record: RunRecord,
        submission: Submission,
        artifacts: Path,
        *,
        dependencies: str,
        keep_going: Callable[[], None],
        ask: Callable[[], None],
        seal: Callable[[], None],
    ) -> SealedResult:
        """Returns what is to be sealed. `keep_going` and `ask` are called before each file. Raises ResultWaits."""
        ledger = self.parts.ports.job_status
        known = ledger.get(self.claim.job_id)
        facts = {"site": self.parts.site, "run": self.run, "device": known.device or "", "dependencies": dependencies}
        job = replace(self.claim.job, finished_at=self.tell(ledger.now))  # not by this machine's clock
        result = result_of(job, verdict, record, submission, artifacts=artifacts, facts=facts, keep_going=keep_going)
        return recorded(
            self.parts.ports.tracking, result, begun=known.begun_run, note=self._note_run, others=self._others,
            keep_going=ask, seal=seal,
        )  # fmt: skip

    def _note_run(self, run_id: str) -> None:
        """Notes the MLflow run in the ledger: from then on it, and no other with the job's tag, is this job's."""
        self.tell(lambda: self.parts.ports.job_status.note_run(self.claim, run_id))

    def _others(self, run_ids: Sequence[str]) -> Collection[str]:
        """Those runs that the ledger knows as other jobs', whatever their tags say."""
        owners = self.tell(lambda: self.parts.ports.results.owners(run_ids))
        return {run_id for run_id, job_id in owners.items() if job_id != self.claim.job_id}
