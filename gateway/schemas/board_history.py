"""Answers about how the best score of a board grew."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from core.domain.benchmark import Direction
from core.domain.entry_marks import UNMARKED
from core.usecases.show_leaderboard import History
from gateway.schemas.jobs import Answer


class StepView(Answer):
    """A job that was the best when it ended."""

    at: datetime
    value: float
    user_id: str
    job_id: str
    method: str | None
    title: str


class HistoryView(Answer):
    benchmark: str
    metric: str
    direction: Direction
    category: str | None
    items: list[StepView]
    """Oldest first; the last one is the best now."""

    @classmethod
    def of(cls, history: History) -> Self:
        steps = [
            StepView(
                at=step.entry.finished_at,
                value=step.value,
                user_id=step.entry.user_id,
                job_id=step.entry.job_id,
                method=step.entry.method,
                title=history.marks.get(step.entry.job_id, UNMARKED).title,
            )
            for step in history.steps
            if step.value is not None
        ]
        metric = history.ranking.metric
        return cls(
            benchmark=history.benchmark.name,
            metric=metric.name,
            direction=metric.direction,
            category=history.ranking.category,
            items=steps,
        )
