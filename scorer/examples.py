"""Writes the predictions that know everything, and those that know nothing, for a look at a benchmark's labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from scorer.faults import BadFile, BadLabels, Faults
from scorer.labels import Labels
from scorer.predictions import MAPS, SCORES

PERFECT, CONSTANT = "perfect", "constant"
KINDS: Sequence[str] = (CONSTANT, PERFECT)


def write_example(kind: str, labels: Labels, folder: Path) -> None:
    """Scores and, where every category has masks, maps; of `perfect` these are the labels. Raises BadLabels."""
    (folder / MAPS).mkdir(parents=True)
    knows = kind == PERFECT
    pictures = [picture for category in labels.categories for picture in category.pictures]
    scores = {picture.id: float(knows and picture.is_anomalous) for picture in pictures}
    (folder / SCORES).write_text(json.dumps(scores))
    faults = Faults()
    for picture in pictures if all(category.has_masks for category in labels.categories) else ():
        try:
            mask = picture.mask()
        except BadFile as error:
            faults.add(str(error), picture.id)
            continue
        values = (mask & knows).astype(np.float16)
        tifffile.imwrite(folder / MAPS / f"{picture.id}.tiff", values, compression="zlib")
    faults.raise_as(BadLabels)
