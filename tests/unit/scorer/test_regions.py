"""Per-region overlap is that of MVTec's algorithm: components of eight neighbours, ties merged, cut at the limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.ranking import curve_of, keys_of
from scorer.regions import aupro, keys_in, overlaps, packed, regions_of
from tests.unit.scorer import reference

EXACT = 1e-12


def found_aupro(maps: list[Any], masks: list[Any], limit: float) -> float:
    """As the scorer takes pixels in, of all pictures."""
    pixels, negatives, regions = [], [], 0
    for values, mask in zip(maps, masks, strict=True):
        keys = keys_of(values)
        numbers, count = regions_of(mask)
        pixels.append(packed(keys[mask], numbers[mask] - 1 + regions))
        negatives.append(keys[~mask])
        regions += count
    positives = np.sort(np.concatenate(pixels))
    keys = keys_in(positives)
    return aupro(curve_of(keys, np.sort(np.concatenate(negatives))), overlaps(positives, keys), limit)


@pytest.mark.parametrize("limit", [0.30, 0.05, 1.0])
@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([2, 5, 1000]))
def test_aupro_is_that_of_the_plain_algorithm(limit: float, seed: int, levels: int) -> None:
    """With few levels almost all scores tie."""
    random = np.random.default_rng(seed)
    maps = [random.integers(0, levels, (9, 11)).astype(np.float32) - 3 for _ in range(3)]
    masks = [random.random((9, 11)) < part for part in (0.2, 0.05, 0.0)]
    masks[0][0, 0] = True
    assert found_aupro(maps, masks, limit) == pytest.approx(reference.aupro(maps, masks, limit), abs=EXACT)


def test_a_constant_map_gets_half_the_limit() -> None:
    """As MVTec's own code says: 0.15 at 0.30."""
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:4, 2:4] = True
    assert found_aupro([np.ones((8, 8), np.float32)], [mask], 0.30) == pytest.approx(0.15, abs=EXACT)


def test_a_region_weighs_the_same_whatever_its_size() -> None:
    """One found pixel region and one missed region of 20 pixels: 0.5 until the missed one is reached."""
    mask = np.zeros((10, 10), dtype=bool)
    mask[0, 0] = mask[5:7, 0:10] = True
    values = np.zeros((10, 10), np.float32)
    values[0, 0], values[5:7] = 9, -9
    assert found_aupro([values], [mask], 0.30) == pytest.approx(0.5, abs=EXACT)


def test_two_diagonal_pixels_are_one_region() -> None:
    mask = np.eye(4, dtype=bool)
    assert regions_of(mask)[1] == 1
    mask[1, 1] = False
    assert regions_of(mask)[1] == 2


def test_a_perfect_map_is_worth_one() -> None:
    mask = np.zeros((6, 6), dtype=bool)
    mask[0, 0] = mask[4:, 4:] = True
    assert found_aupro([mask.astype(np.float32)], [mask], 0.05) == pytest.approx(1.0, abs=EXACT)


@given(seed=st.integers(0, 2**32 - 1))
def test_no_map_is_worth_more_than_one(seed: int) -> None:
    """Sums of 1 / size end a little above or below one: a benchmark's bounds would refuse the former."""
    mask = np.random.default_rng(seed).random((40, 40)) < 0.3
    for limit in (0.30, 0.05):
        assert 1 - EXACT <= found_aupro([mask.astype(np.float32)], [mask], limit) <= 1
