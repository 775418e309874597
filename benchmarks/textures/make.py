"""Writes the benchmark `textures`: what runs see into one folder, the labels into another.

    python -m benchmarks.textures.make --out DIR --labels DIR [--seed N]

Both must be empty or missing. The same seed and the same version give the same files. Needs numpy, pillow and the
photographs of scikit-image, and nothing of ours, so that `python make.py` works in the sandbox image too.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

if __package__:
    from benchmarks.textures.pictures import DEFECTS, PHOTOGRAPHS, Defect, Field, draw, photograph, strips
else:  # run as a plain file: its own folder is where Python looks
    from pictures import DEFECTS, PHOTOGRAPHS, Defect, Field, draw, photograph, strips  # type: ignore[import-not-found,no-redef]

VERSION = 1  # raised with every change that changes a picture
SEED = 21
TRAIN, GOOD, PER_DEFECT = 100, 15, 5
STRONGEST, WEAKEST = 1.0, 0.4
MADE_AT = 946_684_800
"""The time of every file, in seconds since 1970, so that it tells nothing."""
Row = dict[str, Any]


def write(out: Path, labels: Path, photographs: dict[str, Field], seed: int) -> None:
    """Writes the whole set into two empty folders."""
    rows: dict[str, list[Row]] = {}
    first = 0
    for place, (name, picture) in enumerate(photographs.items()):
        rng = np.random.default_rng([VERSION, seed, place])
        for_train, for_test = strips(picture)
        (out / name / "train" / "good").mkdir(parents=True)
        for number in range(TRAIN):
            draw(for_train, rng, None, 0)[0].save(out / name / "train" / "good" / f"n{number:05}.png")
        rows[name] = _tests(out / name / "test", labels, for_test, rng, first)
        first += len(rows[name])
    ids = {name: [row["id"] for row in of] for name, of in rows.items()}
    (out / "ids.json").write_text(json.dumps(ids, indent=1) + "\n")
    (labels / "labels.json").write_text(json.dumps({"version": 1, "categories": rows}, indent=1) + "\n")
    for folder in (out, labels):
        for parent, _folders, files in os.walk(folder, topdown=False):
            for path in (*(Path(parent) / name for name in files), Path(parent)):
                os.utime(path, (MADE_AT, MADE_AT))


def _tests(folder: Path, labels: Path, strip: Field, rng: np.random.Generator, first: int) -> list[Row]:
    """Pictures to test on under neutral names, in an order that tells nothing; returns their labels."""
    folder.mkdir(parents=True)
    (labels / "masks").mkdir(parents=True, exist_ok=True)
    strengths = np.linspace(STRONGEST, WEAKEST, PER_DEFECT)
    asked: list[tuple[Defect | None, float]] = [(None, 0.0)] * GOOD
    asked += [(defect, float(strength)) for defect in DEFECTS for strength in strengths]
    rows = []
    for number, chosen in enumerate(rng.permutation(len(asked)), start=first):
        defect, strength = asked[chosen]
        picture, mask = draw(strip, rng, defect, strength)
        own = f"{number:05}"
        picture.save(folder / f"{own}.png")
        row: Row = {"id": own, "size": list(picture.size), "anomalous": defect is not None}
        if defect:
            row["mask"] = f"masks/{own}.png"
            mask.save(labels / row["mask"])
        rows.append(row)
    return rows


def shipped() -> Path:
    """The folder of pictures inside scikit-image, which is not imported. Raises SystemExit where it is missing."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise SystemExit("the photographs are those of scikit-image 0.26, which is not installed here")
    return Path(found.origin).parent / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the benchmark `textures`.")
    parser.add_argument("--out", type=Path, required=True, help="the data folder to make")
    parser.add_argument("--labels", type=Path, required=True, help="the folder of labels to make")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives other patches and defects")
    options = parser.parse_args()
    for folder in (options.out, options.labels):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise SystemExit(f"{folder} is not empty; choose another folder or empty it")
    photographs = {name: photograph(shipped(), name) for name in PHOTOGRAPHS}
    write(options.out, options.labels, photographs, options.seed)
    print(f"{options.out} and {options.labels}: made")


if __name__ == "__main__":
    main()
