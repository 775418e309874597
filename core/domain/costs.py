"""What a run cost, as the platform measured it, and which entries no other beats in both score and cost (SCO-5)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import groupby

from core.domain.benchmark import Direction
from core.domain.platform_names import SYSTEM
from core.domain.standings import Entry, Standing

ON_GPU = "gpu"
DEVICE_SECONDS = "device_seconds"


class Cost(StrEnum):
    """A figure of the platform's, under `system/` among an entry's metrics; lower is better."""

    TIME = "wall_seconds"
    MEMORY = "memory_bytes"
    """The highest use at any moment."""
    GPU_MEMORY = "gpu_memory_bytes"
    DEVICE_TIME = DEVICE_SECONDS
    """Seconds for which a GPU was reserved: a run has one, and has it to itself. None for a run without a GPU."""

    @property
    def metric(self) -> str:
        """The name by which a board can be ranked."""
        return f"{SYSTEM}{self}"


def with_device_time(metrics: Mapping[str, float], device: str) -> dict[str, float]:
    """The metrics with the device time that follows from the run's time and its device (`cpu`, or `gpu` and an id)."""
    found = {name: value for name, value in metrics.items() if name != Cost.DEVICE_TIME.metric}
    seconds = found.get(Cost.TIME.metric)
    if seconds is not None and device.partition(" ")[0] == ON_GPU:
        found[Cost.DEVICE_TIME.metric] = seconds
    return found


def costs_of(entry: Entry) -> dict[str, float]:
    """The entry's costs that were measured, by name."""
    found = {str(cost): entry.metrics.get(cost.metric) for cost in Cost}
    return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}


def pareto_front(rows: Iterable[Standing], cost: Cost, direction: Direction) -> frozenset[str]:
    """The jobs of the rows that no other row beats: none has a better value at no more cost, or the same for less.

    Rows without a value or without that cost are passed over; equal rows are on the front together.
    """
    sign, name = -1.0 if direction is Direction.MAXIMIZE else 1.0, cost.metric
    points = sorted(
        (paid, sign * row.value, row.entry.job_id)
        for row in rows
        if row.value is not None and math.isfinite(paid := row.entry.metrics.get(name, math.nan))
    )
    front: set[str] = set()
    best = math.inf
    for _paid, group in groupby(points, key=lambda point: point[0]):
        _, value, job_id = next(group)
        if value < best:
            best = value
            front |= {job_id, *(other for _, same, other in group if same == value)}
    return frozenset(front)
