"""Writes the synthetic benchmark in the MVTec AD layout: the same seed gives the same files, and never half of them.

    python -m benchmarks.synthetic.make --out DIR [--seed N]

DIR becomes the data folder itself (`DIR/weave/train/good/000.png` …). Needs numpy and pillow and nothing of ours, so
that `python make.py` works in the sandbox image too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

if __package__:
    from benchmarks.synthetic.pictures import CATEGORIES, draw
else:  # run as a plain file: its own folder is where Python looks
    from pictures import CATEGORIES, draw  # type: ignore[import-not-found,no-redef]

VERSION = 1  # raised with every change that changes a picture
SEED = 20
TRAIN, GOOD, PER_DEFECT = 40, 12, 5
STAMP = "synthetic.json"


def files(category: str, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """Every file of a category: its path in the set and its picture."""
    for folder, count in (("train/good", TRAIN), ("test/good", GOOD)):
        for index in range(count):
            yield f"{category}/{folder}/{index:03}.png", Image.fromarray(draw(category, folder, index, seed=seed)[0])
    for defect in CATEGORIES[category][1]:
        for index, strength in enumerate(np.linspace(1.0, 0.25, PER_DEFECT)):
            folder = f"test/{defect.__name__}"
            picture, mask = draw(category, folder, index, seed=seed, defect=defect, strength=float(strength))
            yield f"{category}/{folder}/{index:03}.png", Image.fromarray(picture)
            truth = f"{category}/ground_truth/{defect.__name__}/{index:03}_mask.png"
            yield truth, Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))


def write(folder: Path, seed: int) -> str:
    """Write the whole set into an empty folder; answers the SHA-256 over all names and bytes."""
    digest = hashlib.sha256()
    for category in CATEGORIES:
        for name, picture in files(category, seed):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, optimize=False)
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def make(out: Path, seed: int = SEED) -> bool:
    """Make the set at `out`, all or nothing; False where that very set is there already.

    Raises FileExistsError when `out` holds something that this program did not make.
    """
    wanted = {"version": VERSION, "seed": seed, "categories": list(CATEGORIES)}
    if out.is_dir() and any(out.iterdir()):
        if not (out / STAMP).is_file():
            raise FileExistsError(f"{out} holds files that are no synthetic set; choose another folder or empty it")
        there = json.loads((out / STAMP).read_text())
        if {key: there.get(key) for key in wanted} == wanted:
            return False
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        stamp = {**wanted, "sha256": write(staged / "new", seed)}
        (staged / "new" / STAMP).write_text(json.dumps(stamp, indent=2) + "\n")
        if out.exists():
            out.rename(staged / "old")
        (staged / "new").rename(out)
    finally:
        shutil.rmtree(staged)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the synthetic benchmark.")
    parser.add_argument("--out", type=Path, required=True, help="the data folder to make (no mount point itself)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    made = make(options.out, options.seed)
    print(f"{options.out}: {'made' if made else 'is there already'}")


if __name__ == "__main__":
    main()
