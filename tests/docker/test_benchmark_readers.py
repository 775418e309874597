"""What the check of a benchmark says is what anomalib's own reader does, in the sandbox image (FLD-9)."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest

from core.adapters.files.benchmark_check import check_folder
from core.domain.benchmark_check import Condition
from tests.benchmark_sets import Files, encoded, good_set, mask, remade, surface, write_set
from tests.docker.in_the_image import found_by

pytestmark = pytest.mark.docker

READER = """
import json, pathlib, sys
from anomalib.data import MVTecAD
found = {}
for folder in sorted(pathlib.Path("/sets").iterdir()):
    try:
        category = next(path.name for path in (folder / "surfaces" / "public").iterdir())
        data = MVTecAD(root=str(folder / "surfaces" / "public"), category=category, num_workers=0)
        data.prepare_data(); data.setup()
        items = [data.test_data[number] for number in range(len(data.test_data))]
        masks = [pathlib.Path(item.mask_path).name for item in items if item.mask_path]
        found[folder.name] = f"{len(data.train_data)} {len(items)} {' '.join(sorted(masks))}"
    except Exception as error:
        found[folder.name] = type(error).__name__
print("FOUND" + json.dumps(found))
"""
GOOD = "4 5 000_mask.png 001_mask.png 002_mask.png"
SET = good_set()


def numbered() -> Files:
    files = {path: raw for path, raw in SET.items() if "/dot/" not in path}
    for number in range(12):
        files[f"weave/test/dot/{number}.png"] = encoded(surface(30 + number))
        files[f"weave/ground_truth/dot/{number}_mask.png"] = encoded(mask())
    return files


SETS: dict[str, Files] = {
    "as it is": SET,
    "a blank": good_set("metal nut"),
    "signs": good_set("a.b_c-d"),
    "katakana": good_set("ネジ"),
    "an accent": good_set("é"),
    "a wide blank": good_set("a\u3000b"),
    "defect in katakana": {path.replace("/dot/", "/キズ/"): raw for path, raw in SET.items()},
    "no masks": {path: raw for path, raw in SET.items() if "ground_truth" not in path},
    "one mask less": {path: raw for path, raw in SET.items() if "001_mask" not in path},
    "jpeg": remade(SET, "/test/", lambda image: encoded(image, "JPEG"), ".jpg"),
    "a stray picture": SET | {"weave/preview.png": encoded(surface(50))},
    "a deep picture": SET | {"weave/test/dot/x/1.png": encoded(surface(50))},
    "flaws to train on": SET | {"weave/train/bad/1.png": encoded(surface(50))},
    "masks of good ones": SET | {"weave/ground_truth/good/1.png": encoded(mask())},
    "numbers": numbered(),
    "palette": remade(SET, "/train/", lambda image: encoded(image.convert("P"))),
}
READ = {"as it is", "a blank", "signs", "defect in katakana", "palette"}


def test_the_check_agrees_with_the_reader(inner: docker.DockerClient, image: str, engine_folder: Path) -> None:
    """Sets without a fault are read whole, each picture with its mask; the others end the reader or lose pictures."""
    for name, files in SETS.items():
        write_set(engine_folder / name, files)
    read = found_by(inner, image, READER, folders={engine_folder: "/sets"})
    assert {name for name, found in read.items() if found == GOOD} == READ, read
    checked = {name: check_folder(engine_folder / name / "surfaces").condition for name in SETS}
    assert {name for name, condition in checked.items() if condition is Condition.GOOD} == READ
