"""What a run was given is recorded: as params, as a file, and whatever its program reports beside it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from core.domain.errors import LeaseLost
from core.domain.job import Claim, Job, JobRequest, JobState
from core.domain.limits import UserLimits
from core.domain.submission import Upload, UploadedFile
from core.ports.tracking import Result, RunRef
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.unit


def claimed(runner: TwinRunner[ProcessEngine], config: bytes, overrides: dict[str, object]) -> Claim:
    files = {"main.py": GOOD.encode(), "config.yaml": config}
    sent = [UploadedFile(name=name, content=io.BytesIO(content)) for name, content in files.items()]
    submission = runner.storage.create_submission(Upload(user_id="ann", files=sent), {})
    request = JobRequest(
        submission_id=submission.submission_id, user_id="ann", resource_class="small", benchmark="synthetic",
        overrides=overrides,
    )  # fmt: skip
    runner.ledger.admit(request, UserLimits(jobs_per_hour=50))
    return runner.claim_again()


def recorded(runner: TwinRunner[ProcessEngine], claim: Claim) -> tuple[Job, Result, dict[str, bytes]]:
    files: dict[str, bytes] = {}
    record = runner.tracking.record

    def reading(result: Result, **asked: object) -> RunRef:
        assert result.artifacts is not None
        files.update({name.path: (result.artifacts / name.path).read_bytes() for name in result.files})
        return record(result, **asked)  # type: ignore[arg-type]

    runner.tracking.record = reading  # type: ignore[method-assign]
    job = runner.run(claim)
    assert job.state is JobState.COMPLETED, runner.log_of(job)
    return job, runner.tracking.results[job.job_id][1], files


def test_the_config_with_its_overrides_is_recorded(runner: TwinRunner[ProcessEngine]) -> None:
    """As params beside the reported ones, and as a file; the uploaded file stays as it was."""
    claim = claimed(runner, b"lr: 0.1\nepochs: 5\n", {"epochs": 2})
    job, result, files = recorded(runner, claim)
    assert result.metrics.params == {"method": "m", "config/epochs": "2", "config/lr": "0.1"}
    assert json.loads(files["leadersboard/config.json"]) == {"lr": 0.1, "epochs": 2}
    folder = runner.storage.submission_files(job.submission_id)
    assert (folder / "config.yaml").read_bytes() == b"lr: 0.1\nepochs: 5\n"
    runner.assert_nothing_left()


def test_a_config_that_is_not_read_costs_no_run(runner: TwinRunner[ProcessEngine]) -> None:
    job, result, files = recorded(runner, claimed(runner, b"a: &x 1\nb: *x\n", {"epochs": 2}))
    assert (result.metrics.params, json.loads(files["leadersboard/config.json"])) == (
        {"method": "m", "config/epochs": "2"}, {"epochs": 2},
    )  # fmt: skip
    assert "only the job's overrides are recorded: the config file uses anchors" in runner.log_of(job)


def test_what_is_said_of_a_config_is_said_once(runner: TwinRunner[ProcessEngine]) -> None:
    """Also where a runner recorded the result, wrote the log's last lines and was lost: the next one adds none."""
    finish, claim = runner.ledger.finish, claimed(runner, b"a: &x 1\nb: *x\n", {})

    def lost(*_asked: object) -> Job:
        raise LeaseLost("gone")

    runner.ledger.finish = lost  # type: ignore[method-assign, assignment]
    runner.run(claim)
    runner.ledger.finish = finish  # type: ignore[method-assign]
    runner.ledger.presume_dead(claim.job_id, claim.mark)
    runner.sweep()
    job = runner.run(runner.claim_again())
    log = runner.log_of(job)
    assert (job.state, log.count("uses anchors"), log.count("Ended:")) == (JobState.COMPLETED, 1, 1)


def test_a_submission_without_a_config_is_nothing_to_speak_of(runner: TwinRunner[ProcessEngine]) -> None:
    job = runner.run(runner.claim(GOOD))
    assert "config" not in runner.log_of(job)


def test_ten_thousand_values_are_said_in_the_log(runner: TwinRunner[ProcessEngine]) -> None:
    config = "".join(f"k{number}: {number}\n" for number in range(10_000)).encode()
    job, _result, files = recorded(runner, claimed(runner, config, {}))
    assert "The config has 10000 values. The first 100 are params" in runner.log_of(job)
    assert len(json.loads(files["leadersboard/config.json"])) == 10_000


def test_a_disk_that_does_not_take_the_file_costs_no_run(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def refusing(path: Path, content: bytes) -> int:
        if path.name.startswith("config."):
            raise OSError(28, "No space left on device")
        return write(path, content)

    claim = claimed(runner, b"lr: 1\n", {})
    monkeypatch.setattr(Path, "write_bytes", refusing)
    _job, result, files = recorded(runner, claim)
    assert (result.metrics.params["config/lr"], "leadersboard/config.json" in files) == ("1", False)
