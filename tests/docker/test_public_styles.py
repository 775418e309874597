"""Whole submissions of `examples/` to their end in the real sandbox, on the synthetic benchmark's data."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from benchmarks.synthetic.make import make
from core.domain.job import Claim, Job, JobRequest
from core.domain.limits import UserLimits
from core.domain.submission import Upload, UploadedFile
from runner.engine.docker_engine import DockerEngine
from tests.conftest import REPOSITORY
from tests.twin_runner import TwinRunner

pytestmark = pytest.mark.docker

PUBLIC = {
    "engine_defaults": "main.py",
    "beside_itself": "main.py",
    "src_layout": "scripts/train.py",
    "compiled": "main.py",
    "pretrained": "main.py",
    "notebook": "main.py",
    "workers": "main.py",
}


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the synthetic benchmark."""
    folder = tmp_path_factory.mktemp("synthetic") / "public"
    make(folder)
    return folder


@pytest.fixture
def site(runner: TwinRunner[DockerEngine], synthetic: Path) -> TwinRunner[DockerEngine]:
    """A runner with the synthetic benchmark, and a user's ordinary limits on output."""
    folder = runner.root / "benchmarks" / "synthetic"
    shutil.copytree(synthetic, folder / "public", dirs_exist_ok=True)
    shutil.copy(REPOSITORY / "benchmarks" / "synthetic" / "benchmark.yaml", folder)
    runner.log_limits = {"max_bytes": 10**7, "max_lines": 10**5, "kept_bytes": 10**5}
    return runner


def ran(site: TwinRunner[DockerEngine], example: Path, entrypoint: str = "main.py") -> Job:
    return site.run(claim_of(site, example, entrypoint))


def claim_of(site: TwinRunner[DockerEngine], example: Path, entrypoint: str) -> Claim:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        tar.add(example, arcname=".")
    raw.seek(0)
    files = [UploadedFile(name="code.tar.gz", content=raw)]
    submission = site.storage.create_submission(Upload(user_id="ann", files=files, entrypoint=entrypoint), {})
    request = JobRequest(
        submission_id=submission.submission_id, user_id="ann", resource_class="small", benchmark="synthetic",
        overrides={},
    )  # fmt: skip
    site.ledger.admit(request, UserLimits())
    return site.claim_again()


@pytest.mark.parametrize(("name", "entrypoint"), PUBLIC.items(), ids=PUBLIC)
def test_a_program_in_public_style_runs_as_it_is(site: TwinRunner[DockerEngine], name: str, entrypoint: str) -> None:
    """FLD-5: one per kind of wall; each is ranked."""
    job = ran(site, REPOSITORY / "examples" / "public_style" / name, entrypoint)
    assert (job.state, job.ranked) == ("completed", True), site.log_of(job)


def test_patchcore_scores_what_its_page_says(site: TwinRunner[DockerEngine]) -> None:
    """With the backbone whose weights the image has; the figure is that of examples/patchcore/README.md."""
    job = ran(site, REPOSITORY / "examples" / "patchcore")
    assert (job.state, job.ranked) == ("completed", True), site.log_of(job)
    ((_ref, result),) = site.tracking.results.values()
    assert result.metrics.metrics["image_auc"] == pytest.approx(0.87, abs=0.025)
    assert set(result.metrics.metrics) >= {"image_f1", "pixel_auc", "pixel_f1", "pixel_pro", "gear/image_auc"}


def test_patchcore_without_its_weights_says_so(site: TwinRunner[DockerEngine], tmp_path: Path) -> None:
    """anomalib's default backbone on a site that has no weights of it: a sentence within seconds."""
    folder = tmp_path / "patchcore"
    shutil.copytree(REPOSITORY / "examples" / "patchcore", folder)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("tf_efficientnet_lite0", "wide_resnet50_2"))
    job = ran(site, folder)
    assert (job.state, job.failure_reason) == ("failed", "exit")
    assert "weights cannot be downloaded" in str(job.error_message)


INTO_OUTPUT = """
import argparse, json, pathlib
from anomalib.data import MVTecAD
from anomalib.engine import Engine
from anomalib.models import Padim
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config"), parser.add_argument("--output")
    out = parser.parse_args().output
    data = MVTecAD(root="/data", category="weave", train_batch_size=8, eval_batch_size=8, num_workers=2)
    engine = Engine(max_epochs=1, accelerator="cpu", default_root_dir=out)
    model = Padim(backbone="resnet18", layers=["layer1"], pre_trained=False, n_features=20)
    engine.fit(datamodule=data, model=model)
    found = engine.test(datamodule=data, model=model)[0]
    pathlib.Path(out, "metrics.json").write_text(json.dumps({"params": {}, "metrics": found}))
"""


def test_an_engine_that_writes_into_the_output_is_ranked(site: TwinRunner[DockerEngine], tmp_path: Path) -> None:
    """Field case 49: its own names count, its link is left out with a word, and its files are kept."""
    (tmp_path / "main.py").write_text(INTO_OUTPUT)
    job = ran(site, tmp_path)
    assert (job.state, job.ranked) == ("completed", True), site.log_of(job)
    assert "image_AUROC was taken for image_auc" in " ".join(job.notes)
    assert "latest" in site.log_of(job)
    assert job.peaks["output_files"] > 20
