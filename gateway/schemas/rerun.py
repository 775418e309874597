"""Answers about jobs that repeat others."""

from __future__ import annotations

from core.domain.rerun import Agreement
from gateway.schemas.jobs import Answer


class MetricChangeView(Answer):
    """One metric of both jobs; a value that a job does not have is null."""

    name: str
    old: float | None
    new: float | None
    difference: float | None
    """New minus old."""
    agreement: Agreement
    """`equal` (to the last digit), `within` the tolerance, `differs`, `missing` in one of both."""
    tolerance: float | None
    """A share of the larger of both values; null if the metric does not decide whether the result holds."""


class OriginChangeView(Answer):
    """A part of where the results come from that differs, named as in the provenance; null is what was not noted."""

    part: str
    old: str | None
    new: str | None


class RerunView(Answer):
    """A job beside the one that it repeats."""

    of: str
    holds: bool | None
    """Whether the old result is repeated; null if that cannot be said, and `words` say why."""
    words: str
    metrics: list[MetricChangeView]
    origins: list[OriginChangeView]
    """What differs in where both results come from."""
