"""The scorer runs in the sandbox image, behind its walls, and agrees with anomalib where anomalib is right (SCO-2)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.conftest import REPOSITORY
from tests.docker.in_the_image import found_by

pytestmark = pytest.mark.docker

ORACLE = """
import json, pathlib, sys
import cv2, numpy as np, torch
sys.path.insert(0, "/program")
from scorer.score import main

random = np.random.default_rng(20)
labels, predictions = pathlib.Path("/tmp/labels"), pathlib.Path("/tmp/predictions")
(labels / "masks").mkdir(parents=True); (predictions / "maps").mkdir(parents=True)
rows, maps, masks = [], [], []
for number in range(8):
    mask = np.zeros((64, 64), bool)
    for _region in range(3 if number % 2 else 0):
        y, x = random.integers(0, 52, 2)
        mask[y : y + random.integers(1, 12), x : x + random.integers(1, 12)] = True
    values = np.float32(1 / (1 + np.exp(-(random.standard_normal((64, 64)) + 1.5 * mask))))
    row = {"id": str(number), "size": [64, 64], "anomalous": bool(number % 2)}
    if number % 2:
        cv2.imwrite(str(labels / "masks" / f"{number}.png"), mask.astype(np.uint8) * 255)
        row["mask"] = f"masks/{number}.png"
    cv2.imwrite(str(predictions / "maps" / f"{number}.tiff"), values)
    rows.append(row); maps.append(values); masks.append(mask)
(labels / "labels.json").write_text(json.dumps({"version": 1, "categories": {"a": rows}}))
code = main(["--predictions", str(predictions), "--labels", str(labels), "--output", "/tmp"])
found = json.loads(pathlib.Path("/tmp/scores.json").read_text())["metrics"]

from anomalib.metrics.aupro import _AUPRO
from anomalib.metrics.auroc import _AUROC
from anomalib.metrics.f1_score import _F1Max
predicted, wanted = torch.from_numpy(np.stack(maps)), torch.from_numpy(np.stack(masks)).int()
pictures = predicted.amax((1, 2)), wanted.amax((1, 2))
oracle = {}
for name, metric, pair in [
    ("image_auc", _AUROC(), pictures), ("image_f1", _F1Max(), pictures),
    ("pixel_auc", _AUROC(), (predicted, wanted)), ("pixel_f1", _F1Max(), (predicted, wanted)),
    ("pixel_pro", _AUPRO(fpr_limit=0.30), (predicted, wanted)),
    ("pixel_pro_05", _AUPRO(fpr_limit=0.05), (predicted, wanted)),
]:
    metric.update(*pair)
    oracle[name] = float(metric.compute())
print("FOUND" + json.dumps({"code": code, "found": found, "oracle": oracle}))
"""


def test_figures_are_those_of_anomalib(inner: docker.DockerClient, image: str, engine_folder: Path) -> None:
    """To 1e-6, for maps in 0..1 that OpenCV wrote (compressed by LZW); other ranges anomalib's AUROC gets wrong."""
    shutil.copytree(REPOSITORY / "scorer", engine_folder / "scorer", ignore=shutil.ignore_patterns("__pycache__"))
    told: dict[str, Any] = found_by(inner, image, ORACLE, folders={engine_folder: "/program"})
    assert told["code"] == 0
    assert {name: told["found"][name] for name in told["oracle"]} == pytest.approx(told["oracle"], abs=1e-6)
    assert 0.6 < told["found"]["pixel_auc"] < 0.95
