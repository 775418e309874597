"""Small sets of pictures in the layout of MVTec AD, good ones and such as people have."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from tests.builders import benchmark_document

WIDTH, HEIGHT = 16, 24
Files = dict[str, bytes]


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def surface(seed: int) -> Image.Image:
    grey = np.random.default_rng(seed).integers(90, 160, (HEIGHT, WIDTH)).astype(np.uint8)
    return Image.fromarray(np.dstack([grey] * 3))


def mask(white: int = 255, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    found = Image.new("L", size)
    found.paste(white, (2, 2, 6, 6))
    return found


def good_set(category: str = "weave") -> Files:
    """Four pictures to train on, two flawless and three flawed ones to test on, with masks."""
    files = {f"{category}/train/good/{number:03}.png": encoded(surface(number)) for number in range(4)}
    files |= {f"{category}/test/good/{number:03}.png": encoded(surface(10 + number)) for number in range(2)}
    for number in range(3):
        files[f"{category}/test/dot/{number:03}.png"] = encoded(surface(20 + number))
        files[f"{category}/ground_truth/dot/{number:03}_mask.png"] = encoded(mask())
    return files


def remade(files: Mapping[str, bytes], part: str, change: Callable[[Image.Image], bytes], suffix: str = "") -> Files:
    """The set with every picture whose path has `part` in it changed."""
    found = {}
    for path, raw in files.items():
        if part in path:
            found[path.removesuffix(".png") + suffix if suffix else path] = change(Image.open(io.BytesIO(raw)))
        else:
            found[path] = raw
    return found


def write_set(root: Path, files: Mapping[str, bytes], **settings: Any) -> Path:
    """Write a benchmark named `surfaces` below `root`, with these files in its data folder. Returns its folder."""
    folder = root / "surfaces"
    categories = sorted({path.partition("/")[0] for path in files})
    document = benchmark_document(**{"name": "surfaces", "categories": categories, **settings})
    for path, raw in files.items():
        (folder / "public" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "public" / path).write_bytes(raw)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return folder
