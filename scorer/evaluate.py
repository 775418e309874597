"""Computes the metrics of each category, and their plain mean over the categories.

Masks are never resized. A map of the benchmark's `map_size` is brought to its picture's size by bilinear
interpolation; every other map must have that size already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scorer.faults import BadLabels, BadPredictions, Faults
from scorer.labels import Category, Labels, Picture
from scorer.map_files import read_map
from scorer.predictions import Predictions
from scorer.ranking import curve_of, keys_of
from scorer.regions import aupro, keys_in, overlaps, packed, regions_of

NO_PIXELS = "no masks: pixels are not scored"
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """What was found. All figures are in 0..1, and higher is better."""

    categories: dict[str, Figures]
    notes: tuple[str, ...]

    def means(self) -> Figures:
        """Of each figure that every category has, the mean over the categories."""
        all_figures = list(self.categories.values())
        shared = [name for name in all_figures[0] if all(name in figures for figures in all_figures)]
        return {name: float(np.mean([figures[name] for figures in all_figures])) for name in shared}


def evaluate(labels: Labels, predictions: Predictions) -> Scores:
    """Scores all categories. Raises BadPredictions or BadLabels with everything that is wrong."""
    bad_maps, bad_masks = Faults(), Faults()
    categories = {}
    for category in labels.categories:
        maximum: dict[str, float] = {}
        figures: Figures = {}
        if predictions.maps is not None:
            figures = _pixel_figures(category, labels, predictions.maps, maximum, (bad_maps, bad_masks))
        if not (bad_maps.found or bad_masks.found):
            categories[category.name] = _image_figures(category, predictions.scores or maximum) | figures
    bad_masks.raise_as(BadLabels)
    bad_maps.raise_as(BadPredictions)
    return Scores(categories, tuple(_notes(labels, predictions)))


def _notes(labels: Labels, predictions: Predictions) -> Iterator[str]:
    yield "image scores: the run's own" if predictions.scores is not None else "image scores: each map's maximum"
    if predictions.maps is None:
        yield "no anomaly maps: pixels are not scored"
    elif unmasked := [category.name for category in labels.categories if not category.has_masks]:
        yield f"{NO_PIXELS} in {', '.join(unmasked)}"


def _image_figures(category: Category, scores: dict[str, float]) -> Figures:
    anomalous, normal = (
        np.array([scores[one.id] for one in category.pictures if one.is_anomalous is kind]) for kind in (True, False)
    )
    curve = curve_of(np.sort(keys_of(anomalous)), np.sort(keys_of(normal)))
    return {"image_auc": curve.auroc(), "image_ap": curve.average_precision(), "image_f1": curve.f1_max()}


def _pixel_figures(
    category: Category, labels: Labels, maps: dict[str, Path], maximum: dict[str, float], faults: tuple[Faults, Faults]
) -> Figures:
    """Reads each map once, notes its maximum, and scores the pixels if the category has masks."""
    pixels = _Pixels(category)
    bad_maps, bad_masks = faults
    for picture in category.pictures:
        with bad_masks.of_file(picture.id):
            mask = picture.mask()
            with bad_maps.of_file(maps[picture.id].name):
                values = _map(maps[picture.id], picture, labels.map_size)
                maximum[picture.id] = float(values.max())
                pixels.add(values, mask)
    return pixels.figures() if category.has_masks and not (bad_maps.found or bad_masks.found) else {}


def _map(path: Path, picture: Picture, map_size: tuple[int, int] | None) -> NDArray[np.float32]:
    values = read_map(path, {picture.size} | ({map_size} if map_size else set()))
    if values.shape == picture.size[::-1]:
        return values
    return np.asarray(Image.fromarray(values).resize(picture.size, Image.Resampling.BILINEAR), dtype=np.float32)


class _Pixels:
    """The pixels of a category: 4 bytes for each normal one and 8 for each anomalous one, allocated once."""

    def __init__(self, category: Category) -> None:
        self._negatives = np.empty(category.pixels if category.has_masks else 0, dtype=np.uint32)
        self._negative_count = 0
        self._positives: list[NDArray[np.uint64]] = []
        self._regions = 0

    def add(self, values: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
        if not len(self._negatives):
            return
        keys = keys_of(values)
        normal = keys[~mask]
        self._negatives[self._negative_count : self._negative_count + len(normal)] = normal
        self._negative_count += len(normal)
        if mask.any():
            numbers, count = regions_of(mask)
            self._positives.append(packed(keys[mask], numbers[mask] - 1 + self._regions))
            self._regions += count

    def figures(self) -> Figures:
        """Raises BadLabels if there is no normal pixel."""
        if not self._negative_count:
            raise BadLabels("no pixel of a category is normal")
        negatives = self._negatives[: self._negative_count]
        negatives.sort()
        positives = np.concatenate(self._positives)
        self._positives.clear()
        positives.sort()
        keys = keys_in(positives)
        curve, overlap = curve_of(keys, negatives), overlaps(positives, keys)
        return {
            "pixel_auc": curve.auroc(),
            "pixel_ap": curve.average_precision(),
            "pixel_f1": curve.f1_max(),
            "pixel_pro": aupro(curve, overlap, 0.30),
            "pixel_pro_05": aupro(curve, overlap, 0.05),
        }
