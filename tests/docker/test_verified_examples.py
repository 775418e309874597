"""The verified benchmarks that ship and the examples for them, in the sandbox image without a network (SCO-6)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.conftest import REPOSITORY
from tests.docker.in_the_image import found_by

pytestmark = pytest.mark.docker

PROGRAM = """
import json, os, pathlib, subprocess, sys
checkout, work = pathlib.Path("/checkout"), pathlib.Path("/tmp/work")
os.environ |= {"PYTHONPATH": "/checkout", "HF_HUB_CACHE": "/opt/weights/hub", "LEADERSBOARD_JOB": "/tmp/job.json"}
pathlib.Path("/tmp/job.json").write_text(json.dumps(
    {"job_id": "1", "device": "cpu", "benchmark": {"name": "x", "categories": []}, "overrides": {}}))
found = {}
def run(*command, cwd=None):
    ended = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(ended.stdout[-2000:] + ended.stderr[-4000:])
for benchmark, examples in (("textures", ["local_statistics", "verified_padim"]), ("digits", ["digits"])):
    data, labels = work / benchmark / "public", work / benchmark / "labels"
    run(checkout / "benchmarks" / benchmark / "make.py", "--out", data, "--labels", labels)
    os.environ["LEADERSBOARD_DATA"] = str(data)
    scorer = [labels / "score.py"] if (labels / "score.py").exists() else ["-m", "scorer.score"]
    for example in examples:
        out = work / "runs" / example
        out.mkdir(parents=True)
        run("main.py", "--config", "config.yaml", "--output", out, cwd=checkout / "examples" / example)
        run(*scorer, "--predictions", out / "predictions", "--labels", labels, "--output", out)
        found[example] = json.loads((out / "scores.json").read_text())["metrics"]
print("FOUND" + json.dumps(found))
"""


def test_examples_beat_chance_on_what_ships(inner: docker.DockerClient, image: str, engine_folder: Path) -> None:
    """PaDiM on the weights of the image is ahead of the baseline without a network."""
    for name in ("benchmarks", "examples", "scorer"):
        shutil.copytree(REPOSITORY / name, engine_folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    found: dict[str, Any] = found_by(inner, image, PROGRAM, folders={engine_folder: "/checkout"})
    padim, baseline = found["verified_padim"], found["local_statistics"]
    assert 0.55 < baseline["image_auc"] < padim["image_auc"] < 0.95
    assert min(padim["pixel_auc"], baseline["pixel_auc"]) > 0.7
    assert min(padim["pixel_pro"], baseline["pixel_pro"]) > 0.4
    assert found["digits"]["accuracy"] > 0.95
    assert found["digits"]["log_loss"] < 0.5
