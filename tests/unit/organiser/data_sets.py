"""Small data sets as people have them, and the command that makes benchmarks of them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from organiser.command import main
from tests.benchmark_sets import Files, encoded, mask, surface

NAME = "surfaces"


def written(root: Path, files: Mapping[str, bytes]) -> Path:
    for path, raw in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(raw)
    return root


def visa_set() -> Files:
    """One object: two pictures to train on, two normal and two anomalous ones to test on; masks hold small numbers."""
    rows = ["object,split,label,image,mask"]
    files: Files = {}
    for split, label, count in (("train", "normal", 2), ("test", "normal", 2), ("test", "anomaly", 2)):
        for number in range(count):
            path = f"candle/Data/Images/{label}/{split}{number}.JPG"
            files[path] = encoded(surface(len(files)), "JPEG")
            drawn = f"candle/Data/Masks/{label}/{split}{number}.png" if label == "anomaly" else ""
            if drawn:
                files[drawn] = encoded(mask(number + 1))
            rows.append(f"candle,{split},{label},{path},{drawn}")
    return files | {"split_csv/1cls.csv": "\r\n".join(rows).encode()}


def folder_set(normal: str = "good", abnormal: str = "defect", masks: str = "masks") -> Files:
    """Ten normal pictures and three anomalous ones, with masks unless `masks` is empty."""
    files = {f"{normal}/{number:02}.bmp": encoded(surface(number), "BMP") for number in range(10)}
    for number in range(3):
        files[f"{abnormal}/{number:02}.png"] = encoded(surface(20 + number))
        if masks:
            files[f"{masks}/{number:02}.png"] = encoded(mask())
    return files


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the command did, in folders below `root`."""

    root: Path
    code: int
    out: str
    err: str

    @property
    def output(self) -> Path:
        return self.root / "benchmarks" / NAME

    @property
    def public(self) -> Path:
        return self.output / "public"

    @property
    def labels(self) -> Path:
        return self.root / "labels" / NAME

    def told(self) -> dict[str, Any]:
        """labels.json."""
        found: dict[str, Any] = json.loads((self.labels / "labels.json").read_text())
        return found

    def rows(self) -> dict[str, dict[str, Any]]:
        """The labels of all categories by id."""
        return {row["id"]: row for rows in self.told()["categories"].values() for row in rows}

    def sources(self) -> dict[str, str]:
        """The source of each picture, by its place in the data."""
        files = json.loads((self.labels / "prepared.json").read_text())["files"]
        return {place: row["source"] for place, row in files.items()}

    def is_nothing(self) -> bool:
        """Whether nothing was made, and nothing is left of the attempt."""
        return not [path for name in ("benchmarks", "labels") for path in (self.root / name).glob("*")]


def prepared(root: Path, files: Mapping[str, bytes], capsys: pytest.CaptureFixture[str], *options: str) -> Made:
    """Runs `scripts/benchmark prepare` on these files."""
    made = Made(root=root, code=0, out="", err="")
    source = written(root / "source", files)
    places = ["--output", str(made.output), "--labels", str(made.labels)]
    code = main(["prepare", str(source), "--name", NAME, *places, *options])
    text = capsys.readouterr()
    return Made(root=root, code=code, out=text.out, err=text.err)


def pixels(raw: bytes | Path) -> Any:
    with Image.open(io.BytesIO(raw) if isinstance(raw, bytes) else raw) as image:
        return np.asarray(image.convert("RGB"))
