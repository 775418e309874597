"""The metrics again, slowly and plainly: a threshold at each distinct score, as the authors of MVTec AD write it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import ndimage


def aupro(maps: list[Any], masks: list[Any], limit: float) -> float:
    """Counts all pixels anew for each threshold; for small maps only."""
    regions = []
    for values, mask in zip(maps, masks, strict=True):
        numbers, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [values[numbers == number] for number in range(1, count + 1)]
    normal = np.concatenate([values[~mask] for values, mask in zip(maps, masks, strict=True)])
    points = [(0.0, 0.0)]
    for threshold in sorted(set(np.concatenate([values.ravel() for values in maps]).tolist()), reverse=True):
        covered = float(np.mean([np.mean(region >= threshold) for region in regions]))
        points.append((float(np.mean(normal >= threshold)), covered))
    return area(points, limit)


def area(points: list[tuple[float, float]], limit: float) -> float:
    """Trapezoids between neighbours up to the limit, the last one cut there; divided by the limit."""
    total = 0.0
    for (x, y), (next_x, next_y) in pairwise(points):
        if x >= limit:
            break
        part = min(1.0, (limit - x) / (next_x - x)) if next_x > x else 0.0
        total += part * (next_x - x) * (y + y + part * (next_y - y)) / 2
    return total / limit


def f1_max(scores: Any, labels: Any) -> float:
    """The best over all distinct scores."""
    found = []
    for threshold in np.unique(scores):
        chosen = scores >= threshold
        found.append(2 * np.sum(chosen & labels) / (np.sum(chosen) + np.sum(labels)))
    return float(max(found))
