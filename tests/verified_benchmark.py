"""A tiny benchmark whose scores the platform computes: 8 pictures of 16 x 16 pixels, and programs that run on it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
from PIL import Image

BENCHMARK = """\
name: {name}
title: Dots
scoring: verified
primary_metric: pixel_auc
categories: [dots]
metrics:
  - {{name: pixel_auc, minimum: 0, maximum: 1}}
  - {{name: image_auc, minimum: 0, maximum: 1}}
"""
SIDE = 16
IDS = ("17ac", "2b09", "4f3e", "5c71", "8d20", "9e55", "b6a8", "d3f4")
SECRET = "the-label-that-no-run-may-see"
"""A word in a file beside the labels: a program that finds any file of theirs can find it."""


def write_benchmark(benchmarks: Path, labels: Path, name: str) -> Path:
    """Writes the public part below `benchmarks`, the hidden one below `labels`. Returns the folder of labels."""
    hidden, rows = labels / name, []
    (benchmarks / name / "public" / "dots" / "test").mkdir(parents=True, exist_ok=True)
    (hidden / "masks").mkdir(parents=True)
    noise = random.Random(7)
    for number, each in enumerate(IDS):
        picture = np.asarray([[noise.randrange(60) for _x in range(SIDE)] for _y in range(SIDE)], dtype=np.uint8)
        row = {"id": each, "size": [SIDE, SIDE], "anomalous": number % 2 == 0}
        if row["anomalous"]:
            mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
            mask[3:7, number : number + 4] = 255
            picture[mask > 0] = 255
            Image.fromarray(mask).save(hidden / "masks" / f"{each}.png")
            row["mask"] = f"masks/{each}.png"
        Image.fromarray(picture).save(benchmarks / name / "public" / "dots" / "test" / f"{each}.png")
        rows.append(row)
    (hidden / "labels.json").write_text(json.dumps({"version": 1, "categories": {"dots": rows}}))
    (hidden / "README").write_text(SECRET)
    (benchmarks / name / "public" / "ids.json").write_text(json.dumps({"dots": list(IDS)}))
    (benchmarks / name / "benchmark.yaml").write_text(BENCHMARK.format(name=name))
    return hidden


PROGRAM = f"""
import json, os, pathlib, sys
import numpy as np
out = pathlib.Path(sys.argv[4]) / "predictions"
(out / "maps").mkdir(parents=True)
ids = {list(IDS)}
print("begun", flush=True)
def write(name, values):
    np.save(out / "maps" / (name + ".npy"), np.asarray(values, dtype=np.float32))
def claim(value):
    text = json.dumps({{"params": {{"method": "dots"}}, "metrics": {{"pixel_auc": value, "image_auc": value}}}})
    (out.parent / "metrics.json").write_text(text)
"""  # fmt: skip
"""What every program of ours begins with."""
PERFECT = (
    PROGRAM
    + """
from PIL import Image
data = pathlib.Path(os.environ["LEADERSBOARD_DATA"]) / "dots" / "test"
for name in ids:
    write(name, np.asarray(Image.open(data / (name + ".png"))) > 100)
"""
)
"""Marks exactly the bright pixels; writes no metrics.json."""
RANDOM = (
    PROGRAM
    + """
chance = np.random.default_rng(3)
for name in ids:
    write(name, chance.random((16, 16)))
claim(1.0)
"""
)
"""Knows nothing, and claims everything."""
