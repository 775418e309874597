"""A run notes where its result comes from; what cannot be read has a reason, and costs no run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import __version__
from core.domain.errors import Unavailable
from core.domain.image_packages import ImagePackages
from core.domain.job import Job, JobState
from core.domain.provenance import Provenance
from runner.job import provenance
from runner.job.run_job import RunJob
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.unit


def noted(runner: TwinRunner[ProcessEngine], job: Job) -> Provenance:
    assert job.state is JobState.COMPLETED, runner.log_of(job)
    found = runner.results.get(job.job_id)
    assert found is not None
    assert found.result.provenance is not None
    return found.result.provenance


def packages(image_id: str) -> ImagePackages:
    installed = [
        {"name": "Torch", "version": "2.15.0"},
        {"name": "numpy", "version": "2.4\n"},
        {"name": "scikit_learn", "version": "1.9.1"},
        {"name": "x", "version": "1"},
    ]
    markers = {"python_full_version": "3.11.9"}
    return ImagePackages.model_validate({"image_id": image_id, "markers": markers, "packages": installed})


def run_with(runner: TwinRunner[ProcessEngine], **context: Any) -> Job:
    claim = runner.claim(GOOD)
    RunJob(context=replace(runner.context(), **context))(claim)
    return runner.ledger.get(claim.job_id)


def test_a_run_notes_where_its_result_comes_from(runner: TwinRunner[ProcessEngine]) -> None:
    (runner.root / "benchmarks/synthetic/public/a.png").write_bytes(b"picture")
    found = noted(runner, run_with(runner, image_packages=lambda _image: packages("sha256:none")))
    line = f"{hashlib.sha256(b'picture').hexdigest()}  a.png\n"
    assert found.data_sha256 == hashlib.sha256(line.encode()).hexdigest()
    assert found.libraries == {"python": "3.11.9", "numpy": "2.4‹U+000A›", "scikit-learn": "1.9.1", "torch": "2.15.0"}
    assert (found.versions, found.runner_version) == (runner.engine.versions(), __version__)
    assert (found.limits["class"], found.limits["timeout_seconds"], found.seed) == ("small", "1800", "7")
    assert "image" not in found.limits
    assert found.config_sha256 is not None
    assert found.unknown == {"config_file_sha256": "the submission has no config file"}
    runner.assert_nothing_left()


def test_what_cannot_be_read_has_a_reason(runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's version, its image's packages, the data, the disk for notes: none of it costs a run."""

    def away(*_asked: object) -> Any:
        raise Unavailable("The sandbox engine", "it is away")

    monkeypatch.setattr(runner.engine, "versions", away)
    monkeypatch.setattr("runner.data_manifest.MOST_FILES", -1)
    found = noted(runner, run_with(runner, image_packages=away))
    assert (found.versions, found.data_sha256, found.libraries) == ({}, None, {})
    assert "it is away" in found.unknown["versions"]
    assert "it is away" in found.unknown["libraries"]
    assert "more than -1 files" in found.unknown["data_sha256"]


def test_an_image_that_was_replaced_is_not_asked_for_another(runner: TwinRunner[ProcessEngine]) -> None:
    found = noted(runner, run_with(runner, image_packages=lambda _image: packages("sha256:other")))
    assert (found.libraries, "another image" in found.unknown["libraries"]) == ({}, True)


def test_data_that_changes_meanwhile_has_no_hash(runner: TwinRunner[ProcessEngine]) -> None:
    data = runner.root / "benchmarks/synthetic/public/new.png"
    claim = runner.claim(f"open({str(data)!r}, 'w').close()\n{GOOD}")
    found = noted(runner, runner.run(claim))
    assert (found.data_sha256, "changed while the run went on" in found.unknown["data_sha256"]) == (None, True)


def test_a_disk_that_takes_no_notes_costs_no_run(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_asked: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "keep", full)
    found = noted(runner, runner.run(runner.claim(GOOD)))
    assert found.unknown["runner_version"] == found.unknown["versions"] == provenance.NOT_AT_LAUNCH


@pytest.mark.parametrize("note", [None, b"{", b'{"runner_version": {}}', b"\xff"])
def test_a_run_of_an_older_runner_is_recorded(runner: TwinRunner[ProcessEngine], note: bytes | None) -> None:
    """It noted nothing when it launched the run; a damaged note is like none."""
    runner.tracking.away = True
    claim = runner.claim(GOOD)
    runner.run(claim)
    folder = runner.root / "jobs" / f"{claim.job_id}-{claim.mark}"
    for name in ("launch", "provenance"):
        (folder / name).unlink()
        if note is not None:
            (folder / name).write_bytes(note)
    runner.tracking.away = False
    runner.ledger.release_results("here")
    found = noted(runner, runner.run(runner.claim_again()))
    assert (found.runner_version, found.data_sha256) == (None, None)
    assert found.unknown["data_sha256"] == provenance.NOT_AT_LAUNCH


def test_two_recorders_note_the_same(runner: TwinRunner[ProcessEngine]) -> None:
    """The first one's stays: what is in MLflow and what is sealed never differ."""
    runner.tracking.away = True
    job = runner.run(runner.claim(GOOD))
    runner.tracking.away = False
    runner.ledger.release_results("here")
    claim = runner.claim_again()
    RunJob(context=replace(runner.context(), image_packages=lambda _image: packages("sha256:none")))(claim)
    found = noted(runner, runner.ledger.get(job.job_id))
    assert found.unknown["libraries"] == "this runner does not ask images for their packages"


def test_nothing_of_the_runners_environment_is_noted(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKENS", "planted-secret")
    monkeypatch.setenv("REDIS_PASSWORD", "planted-secret")
    job = runner.run(runner.claim(GOOD))
    assert "planted" not in repr(runner.results.get(job.job_id))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (b"NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27\nGCC version: gcc 12\n", "580.65.06"),
        (b"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build\n", "570.133.20"),
        (b"\xff" * 100_000, None),
        (b"", None),
    ],
)
def test_the_drivers_version_is_found(tmp_path: Path, text: bytes, version: str | None) -> None:
    path = tmp_path / "version"
    assert provenance._driver(path) is None
    path.write_bytes(text)
    assert provenance._driver(path) == version
