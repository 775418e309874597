"""Answers about results and boards."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Self

from core.domain.benchmark import Direction, Scoring
from core.domain.board_rows import By, Entries
from core.domain.costs import Cost, costs_of
from core.domain.links import run_page
from core.domain.sealed_result import SealedFrom, finite
from core.domain.standings import Standing
from core.domain.tracking_state import UNKNOWN, Tracking, TrackingState
from core.domain.user import User
from core.usecases.compare_rerun import Rerun
from core.usecases.get_job_results import JobResults
from core.usecases.show_leaderboard import Board
from gateway.schemas.jobs import Answer, FileView, ranking
from gateway.schemas.rerun import RerunView


class TrackingView(Answer):
    """Whether the run in MLflow still agrees with what the platform recorded. It never changes a score or a rank.

    `as_recorded`, `changed` (with the differences in words), `missing` (deleted there), `unknown` (not compared yet, or
    MLflow does not answer).
    """

    state: TrackingState
    differences: list[str]


class RecordedFileView(FileView):
    sha256: str | None
    """Of the file as the run left it; null for the job's log, and for jobs that ended before results were sealed."""


class ProofView(Answer):
    """How the platform computed the metrics: from the run's predictions, with labels that the run never saw."""

    scorer: str
    """The scorer's name and version."""
    predictions_sha256: str
    """Of the manifest of the run's predictions: the sorted lines `<SHA-256 of file>  <path>` of all files."""
    labels_sha256: str
    """The same of the labels."""
    categories: dict[str, dict[str, float]]
    """The metrics of each category; those of the job are their mean."""
    notes: list[str]


class EarlierView(Answer):
    """What a result was before it was computed anew."""

    metrics: dict[str, float]
    """Empty if no score was found, or if the submission had reported the metrics, which are `claims` since then."""
    scorer: str | None
    labels_sha256: str | None


class RescoreView(Answer):
    """The job whose score will be computed anew."""

    job_id: str


class ResultsView(Answer):
    """The result that the platform recorded when the run ended. Without a result, links and figures are empty."""

    job_id: str
    run_id: str | None
    experiment_id: str | None
    mlflow_ui_url: str | None
    mlflow_api_url: str | None
    params: dict[str, str]
    metrics: dict[str, float]
    """Those that count: computed by the platform if there is a proof, else as the submission reported them."""
    claims: dict[str, float]
    """What the submission reported itself where the benchmark's scores are verified: it does not count."""
    proof: ProofView | None
    """Null if the submission reported the metrics itself, or if the platform could not score the run."""
    earlier: list[EarlierView]
    """If the score was computed anew: what it was at first, and the last time before."""
    artifacts: list[RecordedFileView]
    """At most 1,000 files: curves, maps and logs first."""
    artifacts_total: int
    """How many files the run left. If there are more than in the list, the list is cut."""
    artifacts_available: bool
    """Whether MLflow, which keeps the files, answers now; of a trial, whether they are still kept, which is a day."""
    tracking: TrackingView
    sha256: str | None
    """Of the result's canonical JSON in the job's record."""
    sealed_from: SealedFrom | None
    """`run`: recorded when the run ended. `tracking`: read once from MLflow, for an older job."""
    notes: list[str]
    """What of metrics.json does not count, or counts under another name, in sentences."""
    ranked: bool | None
    """Whether the benchmark ranked the run when it ended; null for jobs of older versions, false for a trial."""
    would_be_ranked: bool | None
    """Of a trial: whether a job that reports the same would be ranked; null for others."""
    trial: bool
    unranked_because: str | None
    left_out: list[str]
    """The parts that were too large to record: `files`, `long params` (cut), `params`, `claims`. Metrics always fit."""

    rerun: RerunView | None = None
    """Whether this job has the result of the job that it repeats; null for a job that repeats none."""

    @classmethod
    def of(cls, results: JobResults, rerun: Rerun | None = None) -> Self:
        shown = {field.name: getattr(results, field.name) for field in fields(results)}
        numbers = {"metrics": finite(results.metrics), "claims": finite(results.claims)}
        return cls.model_validate(shown | numbers | {"rerun": rerun} | ranking(results))


class ArtifactList(Answer):
    job_id: str
    items: list[RecordedFileView]
    """Curves (pictures that are one of few), then maps (other pictures), logs, all else; by name in each."""
    total: int
    """How many files the run left. If there are more than items, the list is cut; each can be fetched by its name."""
    available: bool
    """Whether MLflow, which keeps the files, answers now; of a trial, whether they are still kept."""


class StandingView(Answer):
    """One row; `rank` and `value` are null when the value is missing or out of bounds, or the entry disqualified.

    A baseline has a value and no rank.
    """

    rank: int | None
    value: float | None
    user_id: str
    job_id: str
    submission_id: str
    run_id: str
    method: str | None
    title: str
    note: str
    """Title and note are the owner's words; empty if there are none."""
    metrics: dict[str, float]
    unranked_because: str | None
    """Why there is no rank, in words; null for a ranked row and a baseline in its place."""
    disqualified: bool
    baseline: bool
    """Pinned by an admin to compare with; no rank counts it."""
    costs: dict[str, float]
    """What of `wall_seconds`, `memory_bytes`, `gpu_memory_bytes` and `device_seconds` the platform measured."""
    on_front: bool
    """Whether no row of the board has a better value at no more of the board's `cost`, or the same value for less."""
    mine: bool
    is_verified: bool
    """Whether the platform computed the metrics."""
    is_rescored: bool
    """Whether it computed them anew, e.g. since labels had changed; the job's results have the values before."""
    finished_at: datetime
    mlflow_ui_url: str
    tracking: TrackingView

    @classmethod
    def of(cls, board: Board, standing: Standing, user: User, mlflow_url: str, tracking: Tracking) -> Self:
        """The row, with those of its finite metrics that the board shows."""
        entry, marks, shown = standing.entry, board.marks_of(standing), shown_metrics(board)
        figures = entry.figures(board.ranking.category)
        metrics = {name: value for name, value in figures.items() if name in shown and math.isfinite(value)}
        shared = {name: getattr(entry, name) for name in cls.model_fields if hasattr(entry, name)}
        return cls(**shared | {
            "rank": standing.rank, "value": standing.value, "mine": entry.user_id == user.user_id, "metrics": metrics,
            "title": marks.title, "note": marks.note, "disqualified": marks.is_disqualified,
            "baseline": marks.is_baseline, "costs": costs_of(entry), "on_front": entry.job_id in board.front,
            "unranked_because": board.ranking.why_unranked(standing),
            "mlflow_ui_url": run_page(mlflow_url, entry.experiment_id, entry.run_id),
            "tracking": TrackingView.model_validate(tracking),
        })  # fmt: skip


class BoardView(Answer):
    benchmark: str
    metric: str
    direction: Direction
    scoring: Scoring
    entries: Entries
    category: str | None
    """In which category the values are; null: over all."""
    by: By
    """With `mean_rank` each row's `value` is the mean of its ranks in all categories, and lower is better."""
    categories: list[str]
    """Those by which this board can be ranked; empty where no entry has values for categories."""
    cost: Cost
    items: list[StandingView]
    total: int

    @classmethod
    def of(
        cls,
        board: Board,
        user: User,
        mlflow_url: str,
        *,
        tracking: Callable[[str], Tracking] = lambda _job: UNKNOWN,
        standings: Sequence[Standing] | None = None,
    ) -> Self:
        """The board with its own rows, or with these instead."""
        return cls(
            benchmark=board.benchmark.name,
            metric=board.metric.name,
            direction=board.metric.direction,
            scoring=board.benchmark.scoring,
            entries=board.ranking.entries,
            category=board.ranking.category,
            by=board.ranking.by,
            categories=list(board.categories),
            cost=board.cost,
            items=[
                StandingView.of(board, standing, user, mlflow_url, tracking(standing.entry.job_id))
                for standing in (board.standings if standings is None else standings)
            ],
            total=board.total,
        )


def shown_metrics(board: Board) -> Sequence[str]:
    """The metrics of a row: those of the benchmark, and the one that ranks. A run may have reported hundreds."""
    return tuple(dict.fromkeys([*(metric.name for metric in board.benchmark.metrics), board.metric.name]))
