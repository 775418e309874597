"""Exact AUROC, average precision and F1-max of scores against labels, with ties merged.

No threshold grid, no sigmoid and no normalisation: only the order of the scores counts. Counts are integers, so the
figures do not depend on the number of scores. Definitions: Fawcett (2006) for the ROC curve; `average_precision_score`
of scikit-learn for AP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.unsignedinteger[Any]]

MOST_SCORES = 2**31
"""So that the sum behind AUROC, at most 2 · positives · negatives, fits into 64 bits."""
_UNSIGNED: dict[np.dtype[Any], type[np.unsignedinteger[Any]]] = {
    np.dtype(np.float16): np.uint16,
    np.dtype(np.float32): np.uint32,
    np.dtype(np.float64): np.uint64,
}


def keys_of(scores: NDArray[np.floating[Any]]) -> Keys:
    """Unsigned integers of the same width and in the same order as the scores; equal scores have equal keys.

    -0.0 and 0.0 are equal. NaN has no place in the order: callers refuse it before.
    """
    kind = _UNSIGNED[scores.dtype]
    bits = (scores + scores.dtype.type(0)).view(kind)  # -0.0 + 0 is 0.0
    sign = kind(1) << kind(8 * scores.dtype.itemsize - 1)
    return np.where(bits & sign, ~bits, bits | sign)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How many scores lie above each distinct score of a positive, in falling order of that score.

    Thresholds between two positives' scores add only false positives, so these points decide every figure here.
    All arrays have one element per distinct score of a positive.
    """

    positives: int
    negatives: int
    true: NDArray[np.int64]
    """Positives with this score or a higher one."""
    false_above: NDArray[np.int64]
    """Negatives with a higher score."""
    false: NDArray[np.int64]
    """Negatives with this score or a higher one."""

    def auroc(self) -> float:
        """Area under the ROC curve by the trapezoidal rule; a tie counts one half. In 0..1."""
        gained = np.diff(self.true, prepend=0)
        twice = 2 * self.negatives - self.false - self.false_above  # of each positive: 2 · below + 1 · equal
        return int(np.dot(gained, twice)) / (2 * self.positives * self.negatives)

    def average_precision(self) -> float:
        """Mean precision at each positive's score, in 0..1; not interpolated."""
        precision = self.true / (self.true + self.false)
        return float(np.dot(np.diff(self.true, prepend=0), precision) / self.positives)

    def f1_max(self) -> float:
        """The best F1 that any threshold reaches, in 0..1. The threshold is chosen with the labels: an upper bound."""
        return float(np.max(2 * self.true / (self.true + self.false + self.positives)))


def starts_of(keys: Keys) -> NDArray[np.int64]:
    """Where each distinct value begins in sorted keys."""
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


def curve_of(positives: Keys, negatives: Keys) -> Curve:
    """The curve of two arrays of keys, both sorted in rising order and not empty; at most MOST_SCORES together."""
    first = starts_of(positives)
    distinct, true = positives[first], len(positives) - first
    below = np.searchsorted(negatives, distinct, side="left")
    up_to = np.searchsorted(negatives, distinct, side="right")
    falling = slice(None, None, -1)
    return Curve(
        positives=len(positives),
        negatives=len(negatives),
        true=true[falling].astype(np.int64),
        false_above=(len(negatives) - up_to)[falling].astype(np.int64),
        false=(len(negatives) - below)[falling].astype(np.int64),
    )
