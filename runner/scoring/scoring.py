"""Scores the predictions of one run: hands the scorer what it needs, and reads its answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import scorer
from core.domain.benchmark import Benchmark
from core.domain.errors import LeadersboardError, Rejected
from core.domain.proof import BadScores, Proof, Scores, read_scores
from core.ports.sandbox import SandboxSpec
from core.ports.scorer import ScorerAnswer, ScorerPort, ScorerSpec
from runner.scoring.labels_folder import Labels, LabelsFolder, NoLabels
from scorer.manifest import manifest

BAD_PREDICTIONS, BAD_LABELS = 3, 4
MOST_QUOTED = 800
"""Characters of what a failed scorer printed that admins are shown."""
PROGRAM = "scorer"
"""Folder of the run into which the program is copied: the engine sees it there."""


class BadPredictions(Exception):
    """Raised when the predictions cannot be scored; its text is for the submitter, a line for each kind of fault."""


class ScorerFailed(LeadersboardError):
    """Raised when no score was found and the submission is not to blame; its text is for admins alone.

    It may quote the labels. `shown` is what submitters are told.
    """

    code = "scorer"

    def __init__(self, shown: str, words: str = "") -> None:
        super().__init__(f"{shown[:1].upper()}{shown[1:]}.{' It said: ' + words.strip() if words.strip() else ''}")
        self.shown = shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What the platform computed of a run."""

    scores: Scores
    proof: Proof


class CanScore(Protocol):
    """Scores the predictions of runs."""

    @property
    def pauses(self) -> tuple[float, ...]:
        """Seconds before each further try."""
        ...

    def score(
        self, run: SandboxSpec, benchmark: Benchmark, predictions: Path, folder: Path, *, check: Callable[[], None]
    ) -> Scored:
        """The scores of the predictions, validated. `folder` is the run's own, into which the program is copied.

        Raises BadPredictions, ScorerFailed, Unavailable, OSError, and what `check` raises.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class NoScoring:
    """Of a process that cannot score."""

    pauses: tuple[float, ...] = ()

    def score(
        self,
        run: SandboxSpec,  # noqa: ARG002
        benchmark: Benchmark,  # noqa: ARG002
        predictions: Path,  # noqa: ARG002
        folder: Path,  # noqa: ARG002
        *,
        check: Callable[[], None],  # noqa: ARG002
    ) -> Scored:
        raise ScorerFailed("this runner has no scorer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """Lives as long as its process."""

    scorer: ScorerPort
    labels: LabelsFolder
    image: str
    """The site's own: a class's image is its users'."""
    pauses: tuple[float, ...] = (1.0, 5.0)
    """Labels may just be being replaced."""

    def score(
        self, run: SandboxSpec, benchmark: Benchmark, predictions: Path, folder: Path, *, check: Callable[[], None]
    ) -> Scored:
        labels = self._labels(benchmark)
        sha256 = manifest(predictions)
        spec = ScorerSpec(
            run=run, image=self.image, program=_program(folder), predictions=predictions, labels=labels.path,
            own_program=labels.has_program,
        )  # fmt: skip
        try:
            answer = self.scorer.score(spec, check=check)
        except Rejected as error:
            raise ScorerFailed("the engine refuses to start it", str(error)) from error
        if self._labels(benchmark) != labels:
            raise ScorerFailed("the labels were changed while they were used")
        scores = _scores(answer, benchmark)
        proof = Proof(
            scorer=scores.scorer, predictions_sha256=sha256, labels_sha256=labels.sha256,
            categories=scores.categories, notes=scores.notes,
        )  # fmt: skip
        return Scored(scores=scores, proof=proof)

    def _labels(self, benchmark: Benchmark) -> Labels:
        try:
            return self.labels.of(benchmark.name)
        except NoLabels as error:
            raise ScorerFailed("the labels of this benchmark cannot be read", str(error)) from error


def _program(folder: Path) -> Path:
    """A copy of the package, so that scorers are always of this runner's version, whatever the image."""
    place = folder / PROGRAM
    shutil.copytree(
        Path(scorer.__file__).parent, place / PROGRAM, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    return place


def _scores(answer: ScorerAnswer, benchmark: Benchmark) -> Scores:
    if answer.timed_out:
        raise ScorerFailed("it took too long and was stopped", answer.words[-MOST_QUOTED:])
    if answer.out_of_memory:
        raise ScorerFailed("it needed more memory than scorers get", answer.words[-MOST_QUOTED:])
    if answer.exit_code == BAD_PREDICTIONS:
        raise BadPredictions(answer.words)
    if answer.exit_code == BAD_LABELS:
        raise ScorerFailed("the labels of this benchmark are wrong", answer.words[:MOST_QUOTED])
    if answer.exit_code:
        raise ScorerFailed(f"it ended with exit code {answer.exit_code}", answer.words[-MOST_QUOTED:])
    try:
        return read_scores(answer.scores, benchmark)
    except BadScores as error:
        raise ScorerFailed("its answer cannot be used", f"The answer {error}.") from error
