"""What each user may read in MLflow: all may read the runs of boards, only its owner a run's files (DOR-4, JOB-10)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.domain.audit import AuditTarget
from core.domain.errors import NotFound
from core.domain.tracking_access import understood
from core.domain.tracking_call import Asked, Shows, TrackingCall
from core.domain.tracking_experiments import found_among, is_active
from core.domain.user import Role, User
from core.ports.benchmarks import BenchmarkPort
from core.ports.job_status import JobStatusPort
from core.ports.tracking_reads import TrackingAnswer, TrackingReadsPort

JSON = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadTracking:
    """Raises Forbidden, NotFound (does not exist, or not for this user), InvalidInput, Unavailable.

    With `files_open`, every user may read the files of every run.
    """

    job_status: JobStatusPort
    benchmarks: BenchmarkPort
    reads: TrackingReadsPort
    files_open: bool = False

    @contextmanager
    def __call__(self, user: User, asked: Asked) -> Iterator[tuple[TrackingCall, TrackingAnswer]]:
        """The call as understood and its answer, for as long as the context lasts."""
        call = understood(asked)
        if call.answer is not None:
            yield call, _known(call.answer)
            return
        if user.role is not Role.ADMIN:
            boards = self._boards() if _is_scoped(call) else {}
            if call.shows is Shows.EXPERIMENTS:
                yield call, _known(found_among(boards.values(), call))
                return
            call = call.without_removed()
            self._check(user, call, boards)
        with self.reads.read(call) as answer:
            yield call, answer

    def of_no_board(self, call: TrackingCall) -> Sequence[tuple[AuditTarget, str]]:
        """The targets that only an admin can read with this call: experiments and runs of no board of the site."""
        boards = self._boards() if _is_scoped(call) else {}
        ids = frozenset(experiment["experiment_id"] for experiment in boards.values())
        named = {call.experiment_name} - {None, *boards}
        known = self.reads.runs(sorted(call.runs), sorted(ids)) if call.runs else {}
        return [
            *((AuditTarget.EXPERIMENT, one) for one in sorted(call.experiments - ids)),
            *((AuditTarget.EXPERIMENT, str(one)) for one in named),
            *((AuditTarget.RUN, one) for one in sorted(call.runs - set(known))),
            *([(AuditTarget.SITE, call.path)] if call.shows is Shows.EXPERIMENTS else []),
        ]

    def _boards(self) -> Mapping[str, Mapping[str, Any]]:
        found = self.reads.experiments([benchmark.name for benchmark in self.benchmarks.list_benchmarks()])
        return {name: experiment for name, experiment in found.items() if is_active(experiment)}

    def _check(self, user: User, call: TrackingCall, boards: Mapping[str, Mapping[str, Any]]) -> None:
        ids = frozenset(experiment["experiment_id"] for experiment in boards.values())
        if foreign := sorted(call.experiments - ids):
            raise NotFound("experiment", foreign[0])
        if call.experiment_name is not None and call.experiment_name not in boards:
            raise NotFound("experiment", call.experiment_name[:80])
        if not call.runs:
            return
        known = self.reads.runs(sorted(call.runs), sorted(ids))
        if missing := sorted(call.runs - set(known)):
            raise NotFound("run", missing[0])
        if call.files_of is not None and not self.files_open:
            self._check_owner(user, call.files_of, known[call.files_of])

    def _check_owner(self, user: User, run_id: str, job_id: str | None) -> None:
        """Check against the ledger: the job in the run's tag must be this user's, and have exactly this run."""
        try:
            job = self.job_status.get(job_id) if job_id else None
        except NotFound:
            job = None
        if job is None or job.run_id != run_id or not user.may_see(job.user_id):
            raise NotFound("run", run_id)


def _is_scoped(call: TrackingCall) -> bool:
    """Whether the answer depends on the site's boards."""
    is_named = bool(call.experiments or call.runs) or call.experiment_name is not None
    return is_named or call.shows is Shows.EXPERIMENTS


def _known(answer: Mapping[str, Any]) -> TrackingAnswer:
    text = json.dumps(answer).encode()
    return TrackingAnswer(status=200, media_type=JSON, pieces=iter((text,)), size_bytes=len(text))
