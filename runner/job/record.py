"""Records the result of a passed run at the tracking server, in the MLflow run that the ledger knows."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from core.adapters.files.trial_files import KEPT_BYTES, fitting
from core.adapters.files_below import files_below
from core.domain.artifact_order import chosen
from core.domain.errors import Rejected, RunLost, Unavailable
from core.domain.job import Job, Phase
from core.domain.limits import MIB
from core.domain.provenance import Provenance
from core.domain.sealed_result import MAX_SEALED_FILES, SealedFile, SealedResult
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Verdict
from core.ports.tracking import Result, RunRef
from runner.job.attempt import Attempt
from runner.job.config_file import add_config, given_config, say_config
from runner.job.provenance import is_noted, provenance_of
from runner.job.signals import Cancelled, ResultWaits
from runner.requirements.dependencies import used_by

MAX_NAMED = 20

log = structlog.get_logger(__name__)


def record_result(attempt: Attempt, verdict: Verdict, record: RunRecord, submission: Submission) -> SealedResult:
    """Records the result, or keeps that of a trial for a while, and returns what is to be sealed.

    Raises Cancelled, ResultWaits while the tracking server is away, LeaseLost, HandOver, RunLost, Rejected, OSError.
    """
    attempt.note(phase=Phase.RECORDING)
    attempt.confirm()
    artifacts = attempt.folder.artifacts
    if artifacts is None or not artifacts.is_dir():  # another runner ended the job and removed its folder
        raise RunLost("The files of this run are gone.")
    if attempt.job.trial:
        return _kept(attempt, verdict, record, submission, artifacts)
    attempt.job_log.keep_name()
    given = given_config(attempt, submission)
    add_config(attempt, artifacts, given)
    if not is_noted(attempt):  # an earlier recorder has said it, perhaps before the log's last lines
        say_config(attempt, given)
    provenance = provenance_of(attempt, given, record, submission)
    add_log(artifacts, attempt.context.ports.storage.log_path(attempt.job.job_id))
    verdict = _with_params(verdict, given.config.params)
    return _Recorder(attempt=attempt, provenance=provenance).record(verdict, record, submission, artifacts)


def _with_params(verdict: Verdict, params: Mapping[str, str]) -> Verdict:
    """The verdict with the config's params beside the reported ones, whose names are always others."""
    if verdict.metrics is None:
        return verdict
    return replace(verdict, metrics=replace(verdict.metrics, params={**verdict.metrics.params, **params}))


def _kept(
    attempt: Attempt, verdict: Verdict, record: RunRecord, submission: Submission, artifacts: Path
) -> SealedResult:
    """Keeps the files of a trial beside the logs. The tracking server is neither needed nor told."""
    ledger, lease = attempt.context.ports.job_status, attempt.lease
    job = replace(attempt.job, finished_at=lease.retrying(ledger.now))
    result = result_of(job, verdict, record, submission, artifacts=artifacts, facts={}, check=attempt.check)
    names = fitting({file.path: file.size_bytes for file in result.files})
    attempt.confirm()
    if not lease.retrying(lambda: ledger.seal(attempt.claim)):
        raise Cancelled
    attempt.context.ports.trial_files.keep(job.job_id, artifacts, names)
    if left := (result.file_count or 0) - len(names):
        room = f"a trial keeps at most {MAX_SEALED_FILES} files of {KEPT_BYTES // MIB} MiB together, for a day"
        attempt.job_log.say_once(f"{left} of {result.file_count} files were not kept: {room}.")
    kept = replace(result, files=[file for file in result.files if file.path in names])
    return kept.sealed_as(RunRef(run_id="", experiment_id=""))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorder:
    """Asks the ledger before each step, so that what another runner may have done meanwhile is not done twice."""

    attempt: Attempt
    provenance: Provenance

    def record(self, verdict: Verdict, record: RunRecord, submission: Submission, artifacts: Path) -> SealedResult:
        attempt, ledger = self.attempt, self.attempt.context.ports.job_status
        known = ledger.get(attempt.job.job_id)
        facts = {
            "site": attempt.context.site,
            "run": attempt.folder.claim,  # its name in the engine and on disk: the same for every runner
            "device": known.device or "",
            "dependencies": used_by(attempt.folder),
            **_proven(verdict),
        }
        job = replace(attempt.job, finished_at=attempt.lease.retrying(ledger.now))  # not by this machine's clock
        result = result_of(job, verdict, record, submission, artifacts=artifacts, facts=facts, check=attempt.check)
        result = replace(result, provenance=self.provenance)
        try:
            ref = attempt.context.ports.tracking.record(
                result, begun=known.begun_run, note=self._note_run, others=self._others, keep_going=attempt.confirm,
                seal=self._seal,
            )  # fmt: skip
        except Rejected:
            raise
        except Unavailable as error:
            log.warning("result not recorded yet", job_id=job.job_id, error=str(error))
            raise ResultWaits from error
        if ref.refused:
            attempt.job_log.say_once(f"Left out, since MLflow does not take the name: {_listed(ref.refused)}.")
        return result.sealed_as(ref)

    def _note_run(self, run_id: str) -> None:
        """Notes the MLflow run in the ledger: from then on it, and no other with the job's tag, is this job's."""
        ledger = self.attempt.context.ports.job_status
        self.attempt.lease.retrying(lambda: ledger.note_run(self.attempt.claim, run_id))

    def _others(self, run_ids: Sequence[str]) -> Collection[str]:
        """Those runs that the ledger knows as other jobs', whatever their tags say."""
        results = self.attempt.context.ports.results
        owners = self.attempt.lease.retrying(lambda: results.owners(run_ids))
        return {run_id for run_id, job_id in owners.items() if job_id != self.attempt.job.job_id}

    def _seal(self) -> None:
        """Called before the result is final: once the ledger agrees, no cancel makes it untrue. Raises Cancelled."""
        self.attempt.confirm()
        ledger = self.attempt.context.ports.job_status
        if not self.attempt.lease.retrying(lambda: ledger.seal(self.attempt.claim)):
            raise Cancelled


def result_of(
    job: Job,
    verdict: Verdict,
    record: RunRecord,
    submission: Submission,
    *,
    artifacts: Path,
    facts: Mapping[str, str],
    check: Callable[[], None] = lambda: None,
) -> Result:
    """The result of a run that passed; each of the facts becomes a tag. `check` is called before each file."""
    if verdict.metrics is None:
        raise ValueError("only a passed run is recorded")
    origin = {
        "code_sha256": submission.sha256,
        "image_digest": record.image_digest,
        "resource_class": job.resource_class,
        **{name: value for name, value in facts.items() if value},
    }
    return Result(
        files=files_of(artifacts, check),
        file_count=len(files_below(artifacts)),
        job=replace(job, finished_at=job.finished_at or datetime.now(UTC)),
        metrics=verdict.metrics,
        claims=verdict.claims,
        proof=verdict.proof,
        measured=record.peaks,
        tags={f"leadersboard.{name}": value for name, value in origin.items()},
        artifacts=artifacts,
    )


def _proven(verdict: Verdict) -> dict[str, str]:
    """Where the metrics come from, if the platform computed them."""
    proof = verdict.proof
    return {} if proof is None else {
        "scorer": proof.scorer, "predictions_sha256": proof.predictions_sha256, "labels_sha256": proof.labels_sha256,
    }  # fmt: skip


def files_of(artifacts: Path, check: Callable[[], None]) -> tuple[SealedFile, ...]:
    """At most MAX_SEALED_FILES files, with size and SHA-256; the job's log, which may still grow, without its hash.

    Of more files those that matter most to a reader: curves, maps and logs first.

    Raises OSError when a file is gone, and what `check` raises.
    """
    found = []
    for name in chosen((path.relative_to(artifacts).as_posix() for path in files_below(artifacts)), MAX_SEALED_FILES):
        check()
        path = artifacts / name
        with path.open("rb") as file:
            sha256 = None if name.startswith("logs/") else hashlib.file_digest(file, "sha256").hexdigest()
        found.append(SealedFile(path=name, size_bytes=path.stat().st_size, sha256=sha256))
    return tuple(found)


def add_log(artifacts: Path, job_log: Path) -> None:
    """Adds the log as an artifact beside the run's own files; the harvest left no file of this name there.

    The copy is renamed into place, so it is always whole: a paused recorder may go on while its successor uploads it.
    """
    (artifacts / "logs").mkdir(exist_ok=True)
    copy = artifacts.parent / f"log.{secrets.token_hex(4)}"
    try:
        shutil.copyfile(job_log, copy)
        copy.replace(artifacts / "logs" / job_log.name)
    finally:
        copy.unlink(missing_ok=True)


def _listed(names: Iterable[str]) -> str:
    """The first MAX_NAMED of the names, each shortened."""
    found = sorted(names)
    return ", ".join(name[:80] for name in found[:MAX_NAMED]) + (" ..." if len(found) > MAX_NAMED else "")
