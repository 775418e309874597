"""Writes the benchmark `digits`: what runs see into one folder, the labels and their scorer into another.

    python -m benchmarks.digits.make --out DIR --labels DIR [--seed N]

Both must be empty or missing. The same seed gives the same files:

    DIR/train/0000.png, DIR/train.json      pictures to train on, and {"0000": 3}
    DIR/test/0000.png, DIR/ids.json         pictures to test on, and {"test": ["0000", …]}
    LABELS/truth.json, LABELS/score.py

Needs numpy, pillow and scikit-learn, and nothing of ours, so that `python make.py` works in the sandbox image too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SEED, TRAIN = 22, 1000
BRIGHTEST = 16
"""Of the values in scikit-learn."""
MADE_AT = 946_684_800
"""The time of every file, in seconds since 1970, so that it tells nothing."""


def write(out: Path, labels: Path, seed: int) -> None:
    """Writes the whole set into two folders without files."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.images))
    truth: dict[str, dict[str, int]] = {"train": {}, "test": {}}
    for split, chosen in (("train", order[:TRAIN]), ("test", order[TRAIN:])):
        (out / split).mkdir()
        for number, place in enumerate(chosen):
            grey = np.rint(digits.images[place] * (255 / BRIGHTEST)).astype(np.uint8)
            Image.fromarray(grey).save(out / split / f"{number:04}.png")
            truth[split][f"{number:04}"] = int(digits.target[place])
    (out / "train.json").write_text(json.dumps(truth["train"]) + "\n")
    (out / "ids.json").write_text(json.dumps({"test": list(truth["test"])}) + "\n")
    (labels / "truth.json").write_text(json.dumps(truth["test"]) + "\n")
    shutil.copyfile(Path(__file__).with_name("score.py"), labels / "score.py")
    for folder in (out, labels):
        for parent, _folders, files in os.walk(folder, topdown=False):
            for path in (*(Path(parent) / name for name in files), Path(parent)):
                os.utime(path, (MADE_AT, MADE_AT))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the benchmark `digits`.")
    parser.add_argument("--out", type=Path, required=True, help="the data folder to make")
    parser.add_argument("--labels", type=Path, required=True, help="the folder of labels to make")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives another split and order")
    options = parser.parse_args()
    for folder in (options.out, options.labels):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise SystemExit(f"{folder} is not empty; choose another folder or empty it")
    write(options.out, options.labels, options.seed)
    print(f"{options.out} and {options.labels}: made")


if __name__ == "__main__":
    main()
