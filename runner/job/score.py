"""Has a passed run's predictions scored, if its benchmark is one that the platform scores itself (SCO-2)."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from core.adapters.files_below import files_below
from core.domain.benchmark import Benchmark, Scoring
from core.domain.errors import NotFound, RunLost
from core.domain.job import Phase
from core.domain.submission import Submission
from core.domain.verdict import FailureReason, Verdict
from runner.dead_letters import DeadLetterWriter
from runner.job.attempt import Attempt
from runner.scoring.scoring import BadPredictions, Scored, ScorerFailed
from scorer.manifest import listing

FOLDER = "predictions"
LIST = "predictions.sha256"
"""The manifest of that folder, whose own hash is the one that is sealed."""
MOST_LINES = 30
"""Lines about bad predictions in a log."""
MOST_SHOWN = 1000
"""Characters of them in a verdict."""
NO_PREDICTIONS = (
    "The program ended well and wrote no predictions, which this benchmark is scored by. Write them into the folder "
    f"{FOLDER} of the directory given by --output: os.path.join(args.output, '{FOLDER}', 'scores.json'), and maps "
    "beside it if you have some."
)
TRIAL = "A trial is not scored. Its predictions were found: {files} files."
NONE: Mapping[str, float] = MappingProxyType({})
UNSCORED = (
    "the platform could not score it ({why}). This was not your submission's fault, and the job does not count "
    "towards your limit. Its files are kept; an admin was told"
)


def scored(attempt: Attempt, verdict: Verdict, submission: Submission) -> Verdict:
    """The verdict with what the platform computed; as it was for a benchmark of reported scores.

    Waits for a benchmark whose file is being rewritten. Raises Cancelled, LeaseLost, HandOver, RunLost, Unavailable,
    OSError.
    """
    if attempt.scoring is not Scoring.VERIFIED:
        return verdict
    artifacts = attempt.folder.artifacts
    if artifacts is None or not artifacts.is_dir():  # another runner ended the job and removed its folder
        raise RunLost("The files of this run are gone.")
    predictions = artifacts / FOLDER
    files = len(files_below(predictions)) if predictions.is_dir() else 0
    if not files:
        return Verdict(reason=FailureReason.NO_PREDICTIONS, message=NO_PREDICTIONS)
    if attempt.job.trial:
        return replace(verdict, notes=(TRIAL.format(files=files), *verdict.notes))
    attempt.note(phase=Phase.SCORING)
    _list(artifacts, predictions)
    attempt.job_log.say_once(f"Scoring the predictions: {files} file{'s' * (files != 1)}.")
    try:
        benchmark = attempt.awaited(lambda: attempt.context.ports.benchmarks.get(attempt.job.benchmark))
    except NotFound:  # the next step says so
        return verdict
    return _Judge(attempt=attempt, submission=submission, benchmark=benchmark).of(verdict, predictions)


def _list(artifacts: Path, predictions: Path) -> None:
    """Adds the list of the predictions with their hashes to the run's files: by it they can be scored again later."""
    beside = artifacts.parent / f"list.{secrets.token_hex(4)}"
    beside.write_bytes(listing(predictions))
    if (artifacts / LIST).is_dir():  # the run's own, where the platform's file belongs
        shutil.rmtree(artifacts / LIST)
    beside.replace(artifacts / LIST)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judge:
    """Tries until a scorer has answered, or has failed for good."""

    attempt: Attempt
    submission: Submission
    benchmark: Benchmark

    def of(self, verdict: Verdict, predictions: Path) -> Verdict:
        try:
            found = self.attempt.folder.scored() or self._tried(predictions)
        except BadPredictions as error:
            return self._refused(str(error))
        except ScorerFailed as error:
            because = UNSCORED.format(why=error.shown)
            return replace(_claimed(verdict), unranked_because=because, ranked=False, refunded=True)
        return replace(_claimed(verdict, found.scores.metrics, found.proof.notes), proof=found.proof)

    def _tried(self, predictions: Path) -> Scored:
        """Raises ScorerFailed once the last try has failed."""
        attempt, scoring = self.attempt, self.attempt.context.scoring
        for pause in scoring.pauses:
            try:
                return self._once(predictions)
            except ScorerFailed as error:
                attempt.job_log.say(f"The platform's scorer failed: {error.shown}. It tries again.")
                attempt.context.stopping.wait(pause)
                attempt.check()
        return self._once(predictions)

    def _once(self, predictions: Path) -> Scored:
        attempt, scoring = self.attempt, self.attempt.context.scoring
        try:
            run, folder = attempt.sandbox_spec(self.submission), attempt.folder.path
            found = scoring.score(run, self.benchmark, predictions, folder, check=attempt.check)
        except ScorerFailed as error:
            DeadLetterWriter(dead_letters=attempt.context.ports.dead_letters).keep("score", error, attempt.job)
            raise
        attempt.confirm()  # another runner may be at it, with other labels
        return attempt.folder.score(found)

    def _refused(self, words: str) -> Verdict:
        lines = [line for line in words.splitlines() if line.strip()] or ["The scorer does not say why."]
        for line in lines[:MOST_LINES]:
            self.attempt.job_log.quote(line)
        told = " ".join(line if line.endswith((".", "!", "?")) else f"{line}." for line in lines[:MOST_LINES])
        message = f"The predictions were refused. {told}"
        short = message if len(message) <= MOST_SHOWN else f"{message[: MOST_SHOWN - 1]}…"
        return Verdict(reason=FailureReason.BAD_PREDICTIONS, message=short)


def _claimed(verdict: Verdict, metrics: Mapping[str, float] = NONE, notes: tuple[str, ...] = ()) -> Verdict:
    """The verdict with these metrics and notes; those that the submission reported are only claims."""
    if verdict.metrics is None:
        raise ValueError("only a passed run is scored")
    told = (*notes, *verdict.notes)
    counted = replace(verdict.metrics, metrics=metrics, left_out={}, notes=told)
    return replace(verdict, metrics=counted, claims=verdict.metrics.metrics, notes=told)
