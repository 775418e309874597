"""The benchmark.yaml of a verified benchmark of anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

IMAGE_METRICS = ("image_auc", "image_ap", "image_f1")
PIXEL_METRICS = ("pixel_auc", "pixel_ap", "pixel_f1", "pixel_pro", "pixel_pro_05")
HEAD = "# Made by `scripts/benchmark prepare`. See docs/benchmarks.md\n"


def settings(name: str, title: str, description: str, categories: Sequence[str], *, has_masks: bool) -> dict[str, Any]:
    """What benchmark.yaml says. `has_masks`: whether every category has them, so that pixels are ranked, too."""
    names = IMAGE_METRICS + (PIXEL_METRICS if has_masks else ())
    return {
        "name": name,
        "title": title,
        "description": description,
        "image": "sandbox",
        "data": "public",
        "categories": list(categories),
        "scoring": "verified",
        "primary_metric": IMAGE_METRICS[0],
        "metrics": [{"name": one, "direction": "maximize", "minimum": 0, "maximum": 1} for one in names],
    }


def as_yaml(document: dict[str, Any]) -> str:
    return HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
