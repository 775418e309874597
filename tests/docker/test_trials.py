"""Trials in a real engine: a few pictures behind the same walls, under the time of a trial, with nothing in MLflow."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import docker
import pytest

from benchmarks.synthetic.make import make
from core.adapters.files.trial_files import FOLDER
from core.domain.job import JobRequest, JobState
from core.domain.submission import Upload, UploadedFile
from core.domain.verdict import FailureReason
from runner.engine.docker_engine import DockerEngine
from tests.builders import targz
from tests.conftest import REPOSITORY
from tests.docker.runner_site import Site, ended, mlflow_runs, until_nothing_is_left
from tests.twin_runner import TwinRunner

pytestmark = pytest.mark.docker

YAML = (REPOSITORY / "benchmarks" / "synthetic" / "benchmark.yaml").read_text()
WALLS = """
import os, pathlib
for place in (data, data / "weave" / "train" / "good" / "000.png", data / "weave"):
    try:
        (place / "x").write_bytes(b"x") if place.is_dir() else place.write_bytes(b"x")
        raise SystemExit(f"{place} can be written")
    except OSError as error:
        print("read-only:", error.strerror)
links = {path.stat().st_nlink for path in data.rglob("*") if path.is_file()}
print("links", links, "network", os.listdir("/sys/class/net"))
"""
LOOK = """
import json, os, pathlib, sys
job = json.loads(pathlib.Path(os.environ["LEADERSBOARD_JOB"]).read_text())
data = pathlib.Path(os.environ["LEADERSBOARD_DATA"])
for category in job["benchmark"]["categories"]:
    print(category, *(len(list((data / category).glob(place))) for place in ("train/good/*.png", "test/*/*.png")))
"""
REPORT = """
pathlib.Path(sys.argv[4], "metrics.json").write_text(json.dumps({"params": {}, "metrics": {"image_AUROC": 0.5}}))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    make(folder)
    return folder


def test_a_trial_runs_on_a_few_pictures_that_it_cannot_change(runner: TwinRunner[DockerEngine], pictures: Path) -> None:
    """Mounted read-only, as copies; the same judgement, and no word to the tracking server."""
    place = runner.root / "benchmarks" / "synthetic"
    (place / "benchmark.yaml").write_text(YAML)
    (place / "public").rmdir()
    shutil.copytree(pictures, place / "public")
    job = runner.run(runner.claim(LOOK + WALLS + REPORT, trial=True))
    log = runner.log_of(job)
    assert (job.state, job.ranked) == (JobState.COMPLETED, True), log
    assert log.count("read-only: Read-only file system") == 3
    assert "links {1} network ['lo']" in log
    assert "weave 16 " in log
    assert "grain 16 " in log
    assert "gear" not in log.split("Trial:")[1].split("Attempt")[1]
    assert "image_AUROC was taken for image_auc." in log
    assert runner.tracking.results == {}


def test_a_trial_past_its_time_is_stopped(runner: TwinRunner[DockerEngine]) -> None:
    """By the trial's limit, not its class's."""
    runner.trial_seconds = 1
    (runner.root / "benchmarks" / "synthetic" / "public" / "weave").mkdir()
    job = runner.run(runner.claim("import time\ntime.sleep(300)", trial=True))
    assert job.failure_reason is FailureReason.TIMEOUT
    assert "The trial was stopped after 1 s" in (job.error_message or "")


def test_the_padim_example_is_tried_in_a_minute_and_nothing_is_recorded(
    site: Site, inner: docker.DockerClient, pictures: Path
) -> None:
    """Unmodified, through a real runner process; MLflow has no run, the board's list no job, the owner the maps."""
    place = site.root / "benchmarks" / site.benchmark
    (place / "benchmark.yaml").write_text(YAML.replace("name: synthetic", f"name: {site.benchmark}"))
    (place / "public").rmdir()
    shutil.copytree(pictures, place / "public")
    folder = REPOSITORY / "examples" / "padim"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    upload = Upload(
        user_id="ann",
        files=[UploadedFile(name="padim.tar.gz", content=io.BytesIO(packed(folder, files)))],
    )
    submission = site.storage.create_submission(upload, {})
    request = JobRequest(
        submission_id=submission.submission_id, user_id="ann", resource_class="small", benchmark=site.benchmark,
        trial=True,
    )  # fmt: skip
    with site.runner():
        job = ended(site, site.admit(request))
        log = site.log(job.job_id)
        assert (job.state, job.ranked) == (JobState.COMPLETED, True), log
        until_nothing_is_left(site, inner)
    assert mlflow_runs(site) == []
    assert site.ledger.completed(site.benchmark) == 0
    kept = {path.name for path in (site.root / "logs" / FOLDER / job.job_id).rglob("*.png")}
    assert {"roc.png", "pr.png", "pro.png"} <= kept
    assert f"Would be ranked on {site.benchmark}." in log


def packed(folder: Path, files: list[Path]) -> bytes:
    return targz(*((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files))
