"""Answers about the site's weights."""

from __future__ import annotations

from core.domain.weights import WeightsKind
from gateway.schemas.jobs import Answer


class WeightsView(Answer):
    name: str
    kind: WeightsKind
    """Which library finds them."""
    size_bytes: int
    place: str
    """The path in a run."""
    use: str
    """What a submission writes."""


class WeightsList(Answer):
    items: list[WeightsView]
