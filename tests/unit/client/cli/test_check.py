"""`leadersboard check`: what it sends, what it says at the end, and its exit codes."""

from typing import Any

import httpx2
import pytest

from tests.unit.client.cli.answers import RESULTS, accepts
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import SUBMISSION, Platform, job, problem

pytestmark = pytest.mark.unit

TRIAL: dict[str, Any] = {"trial": True, "ranked": False, "would_be_ranked": True}
BENCHMARKS = {
    "items": [
        {"name": "synthetic", "title": "t", "description": "", "scoring": "reported", "primary_metric": "image_auc"}
        | {"categories": [], "metrics": []}
    ]
}


def offers(platform: Platform) -> None:
    """Let the platform have one benchmark and one class."""
    small = {"name": "small", "cpus": 1, "memory_bytes": 1, "gpus": "none", "timeout_seconds": 1, "output_bytes": 1}
    platform.answers("GET", "/benchmarks", BENCHMARKS)
    platform.answers("GET", "/resource-classes", {"items": [small], "default": "small"})


def posted(platform: Platform) -> list[str]:
    """What was posted, by path."""
    return [asked.url.path for asked in platform.asked if asked.method == "POST"]


def tries(platform: Platform, end: dict[str, Any], **results: Any) -> None:
    """Let the platform take a submission and its trial end so."""
    accepts(platform, job(**TRIAL), job(**(TRIAL | end)))
    platform.answers("POST", "/jobs", httpx2.Response(202, json=job(**TRIAL)))
    offers(platform)
    platform.answers("GET", "/jobs/j1/results", RESULTS | TRIAL | {"mlflow_ui_url": None} | results)


def test_a_good_trial_says_that_it_would_be_ranked(run: Run, platform: Platform, folder: str) -> None:
    """With the metric that ranks; the log and the figures before it; no board is asked."""
    tries(platform, {"status": "completed", "phase": "done"})
    done = run("check", folder, "--benchmark", "synthetic", "--set", "epochs=1")
    assert done.exit_code == 0, done.output
    assert "This would be ranked with image_auc 0.9877, on a few pictures" in done.stdout
    assert "Nothing was recorded. Submit it: leadersboard rerun j1 --as-job --follow" in done.stdout
    assert "first" in done.stdout
    assert "Not ranked" not in done.stdout
    assert platform.asked[3].content == (
        b'{"submission_id":"s1","config":{"epochs":1,"benchmark":"synthetic","resource_class":"small"},"trial":true}'
    )
    assert "/leaderboard" not in [asked.url.path for asked in platform.asked]


def test_a_trial_that_would_not_be_ranked_is_one(run: Run, platform: Platform, folder: str) -> None:
    """A script sees it; a person reads what to mend, once."""
    told = {"would_be_ranked": False, "unranked_because": "image_auc 93.1 is out of 0..1 (percent? write 0.931)"}
    tries(platform, {"status": "completed", "phase": "done", **told}, **told)
    done = run("check", folder)
    assert done.exit_code == 1
    assert done.stdout.count("image_auc 93.1 is out of 0..1 (percent? write 0.931)") == 1
    assert "This would not be ranked" in done.stdout
    assert "Mend that, then check again." in done.stdout


def test_a_trial_that_nobody_scores_is_no_failure(run: Run, platform: Platform, folder: str) -> None:
    """SCO-2: it ran and left predictions; only a job is scored."""
    told = {"would_be_ranked": None, "ranked": None}
    tries(platform, {"status": "completed", "phase": "done", **told}, **told)
    done = run("check", folder)
    assert done.exit_code == 0
    assert "It ran, and left predictions" in done.stdout
    assert "ranked" not in done.stdout


def test_a_failed_trial_says_why(run: Run, platform: Platform, folder: str) -> None:
    """The platform's sentence, and what to do next."""
    end = {"status": "failed", "phase": "done", "failure_reason": "exit", "error_message": "It broke.\x1b[2J"}
    tries(platform, end | {"would_be_ranked": None, "ranked": None})
    done = run("check", folder)
    assert done.exit_code == 1
    assert "failed (exit): It broke." in done.stdout
    assert "Mend that, then check again. Nothing was recorded." in done.stdout
    assert "\x1b" not in done.stdout


def test_faults_of_the_files_are_told_at_once_and_nothing_runs(run: Run, platform: Platform, folder: str) -> None:
    """FLD-2: every field, before any run."""
    faults = [{"field": "entrypoint", "rule": "is not there"}, {"field": "config_file", "rule": "is not there either"}]
    offers(platform)
    platform.answers("POST", "/submissions", problem(422, "invalid_input", "Broken.", errors=faults))
    done = run("check", folder, "--benchmark", "mvtec", "--resource-class", "huge")
    assert done.exit_code == 1
    assert "benchmark: mvtec is not offered; choose one of synthetic" in done.stderr
    assert "resource class: huge is not offered; choose one of small" in done.stderr
    assert "entrypoint: is not there" in done.stderr
    assert "config_file: is not there either" in done.stderr
    assert posted(platform) == ["/submissions"]


def test_a_wrong_choice_alone_runs_nothing(run: Run, platform: Platform, folder: str) -> None:
    """The files are stored, and the choice is told."""
    tries(platform, {})
    done = run("check", folder, "--benchmark", "mvtec\x1b[2J")
    assert (done.exit_code, posted(platform), "\x1b" in done.stderr) == (1, ["/submissions"], False)


def test_upload_only_runs_nothing(run: Run, platform: Platform, folder: str) -> None:
    """The files and their notes alone."""
    platform.answers("POST", "/submissions", httpx2.Response(201, json=SUBMISSION | {"notes": ["A note."]}))
    offers(platform)
    done = run("check", folder, "--upload-only")
    assert (done.exit_code, posted(platform)) == (0, ["/submissions"])
    assert "The files are as they should be" in done.stdout
    assert "A note." in done.stderr


def test_the_limit_of_trials_is_told_in_the_platforms_words(run: Run, platform: Platform, folder: str) -> None:
    """With when the next is possible."""
    tries(platform, {})
    words = "You have tried 20 runs in the last hour, which is the limit. The next place is free in 12 min."
    platform.answers("POST", "/jobs", problem(429, "limit_reached", words, retry_after="720"))
    done = run("check", folder)
    assert done.exit_code == 3
    assert words in done.stderr


def test_a_trial_is_marked_in_status_and_list(run: Run, platform: Platform) -> None:
    """The words do not send a user to the board for it."""
    ended = job(status="completed", phase="done", **TRIAL)
    platform.answers("GET", "/jobs/j1/status", ended)
    platform.answers("GET", "/jobs", {"items": [ended], "next_cursor": None})
    assert "trial: nothing is recorded" in run("status", "j1").stdout
    assert "completed (trial)" in run("jobs").stdout


def test_files_of_a_trial_that_went_are_said_to_be_gone(run: Run, platform: Platform) -> None:
    """Not that MLflow is away, which never had them."""
    platform.answers("GET", "/jobs/j1/results", RESULTS | TRIAL | {"artifacts_available": False, "artifacts_total": 3})
    said = run("results", "j1").stdout
    assert "those of a trial are kept for a day" in said
    assert "1 of 3 files: curves, maps and logs first. A trial keeps 16 MiB of them." in said


@pytest.mark.parametrize(("words", "query"), [(["--as-job"], "as_job=true"), ([], "")])
def test_what_was_tried_can_be_submitted(run: Run, platform: Platform, words: list[str], query: str) -> None:
    """By its id, with the overrides of the trial; without the option it is tried once more."""
    platform.answers("POST", "/jobs/j1/rerun", httpx2.Response(202, json=job(job_id="j2")))
    assert run("rerun", "j1", *words).stdout == "j2\n"
    assert platform.asked[0].url.query.decode() == query
