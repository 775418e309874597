"""A small benchmark's labels and a run's predictions, as folders."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

SIDE = 16


@dataclass(frozen=True)
class Tree:
    """Two categories `a` and `b` of four pictures each; the first two of each are anomalous, with one region."""

    root: Path
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def labels(self) -> Path:
        return self.root / "labels"

    @property
    def predictions(self) -> Path:
        return self.root / "predictions"

    @property
    def maps(self) -> Path:
        return self.predictions / "maps"

    def masks(self) -> dict[str, Any]:
        """By id."""
        return {f"{name}{number}": mask(number) for name in "ab" for number in range(4)}

    def write_labels(self, **more: Any) -> None:
        told = {"version": 1, "categories": self.rows, **more}
        (self.labels / "labels.json").write_text(json.dumps(told))

    def write_map(self, name: str, values: Any, suffix: str = ".tiff", **options: Any) -> Path:
        path = self.maps / f"{name}{suffix}"
        if suffix == ".npy":
            np.save(path, values)
        else:
            tifffile.imwrite(path, values, **options)
        return path

    def write_scores(self, text: str | dict[str, Any]) -> None:
        (self.predictions / "scores.json").write_text(text if isinstance(text, str) else json.dumps(text))


def mask(number: int) -> Any:
    found = np.zeros((SIDE, SIDE), dtype=bool)
    found[2:5, 3:6] = number < 2
    return found


def tree(root: Path) -> Tree:
    """With masks and good float32 maps, and without scores."""
    made = Tree(root)
    (made.labels / "masks").mkdir(parents=True)
    made.maps.mkdir(parents=True)
    for name, found in made.masks().items():
        row = {"id": name, "size": [SIDE, SIDE], "anomalous": bool(found.any())}
        if found.any():
            Image.fromarray(found.astype(np.uint8) * 255).save(made.labels / "masks" / f"{name}.png")
            row["mask"] = f"masks/{name}.png"
        made.rows.setdefault(name[0], []).append(row)
        made.write_map(name, found.astype(np.float32))
    made.write_labels()
    return made
