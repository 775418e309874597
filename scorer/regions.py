"""Per-region overlap (PRO), as the authors of MVTec AD compute it (Bergmann et al., 2021).

Regions are the connected components of a mask, with eight neighbours. Every region weighs the same, however large it
is. The false positive rate is taken over all pixels that lie in no region, those of normal pictures included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scorer.ranking import Curve, starts_of

EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=int)
_LOW = np.uint64(0xFFFFFFFF)
_WIDTH = np.uint64(32)


def regions_of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """The number of each pixel's region (height, width), from 1 on and 0 outside; and how many regions there are."""
    numbers, count = ndimage.label(mask, structure=EIGHT_NEIGHBOURS)
    return numbers.astype(np.int32, copy=False), int(count)


def packed(keys: NDArray[np.unsignedinteger[Any]], regions: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """One integer for each pixel, which sorts by the pixel's 32-bit key and holds the number of its region."""
    return (keys.astype(np.uint64) << _WIDTH) | regions.astype(np.uint64)


def keys_in(pixels: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The keys of packed pixels."""
    return (pixels >> _WIDTH).astype(np.uint32)


def overlaps(pixels: NDArray[np.uint64], keys: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Mean over all regions of the part that lies at or above each distinct score, in falling order of the score.

    `pixels` are packed and sorted, with regions numbered from 0 without a gap; `keys` are the keys in them.
    """
    regions = (pixels & _LOW).astype(np.int64)
    sizes = np.bincount(regions)
    gained = np.add.reduceat(1.0 / sizes[regions], starts_of(keys))
    return np.minimum(np.cumsum(gained[::-1]) / len(sizes), 1.0)  # a sum of 1 / size may end a little above


def aupro(curve: Curve, overlap: NDArray[np.float64], limit: float) -> float:
    """Area under overlap against false positive rate from 0 to `limit`, divided by `limit`. In 0..1.

    Trapezoidal rule; linear between the last point before the limit and the first one behind it.
    """
    rates = np.stack((curve.false_above, curve.false), axis=1).ravel() / curve.negatives
    heights = np.stack((np.concatenate(([0.0], overlap[:-1])), overlap), axis=1).ravel()
    x, y = np.concatenate(([0.0], rates, [1.0])), np.concatenate(([0.0], heights, [1.0]))
    inside = int(np.searchsorted(x, limit, side="right"))
    if inside < len(x):
        part = (limit - x[inside - 1]) / (x[inside] - x[inside - 1])
        x = np.append(x[:inside], limit)
        y = np.append(y[:inside], y[inside - 1] + part * (y[inside] - y[inside - 1]))
    return min(1.0, float(np.trapezoid(y, x) / limit))
