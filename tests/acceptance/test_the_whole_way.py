"""The whole way through compose: the PaDiM example from its upload to its row on the board and its page in MLflow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import sync_playwright
from pytest_docker.plugin import Services

from tests.acceptance.researcher import CHROMIUM_FLAGS, Finished, Researcher, packed
from tests.conftest import REPOSITORY, Stack, service
from tests.docker.hostile.arena import EVERYTHING

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def researcher(stack: Stack, docker_services: Services) -> Iterator[Researcher]:
    docker_services.wait_until_responsive(
        check=lambda: httpx2.get(f"{stack.api_url}/health/ready").status_code == 200, timeout=60, pause=0.5
    )
    with Researcher(stack.api_url, stack.token) as someone:
        yield someone


@pytest.fixture(scope="module")
def padim(researcher: Researcher) -> Finished:
    """One real run of the example on the real sandbox image, followed from outside."""
    posted = researcher.post(packed("padim", str(time.time())), {"benchmark": "synthetic"})
    assert posted.status_code == 202, posted.text
    return researcher.follow(posted.json()["job_id"])


def test_padim_ends_as_completed(padim: Finished) -> None:
    """A real anomalib submission travels the whole way."""
    assert (padim.job["status"], padim.job["error_message"]) == ("completed", None), padim.log
    assert (padim.job["attempt"], padim.job["device"]) == (1, "cpu")
    assert padim.job["peaks"]["memory_bytes"] > 100_000_000


def test_its_log_grew_while_it_ran(padim: Finished) -> None:
    """LOG-1, LOG-2: two different lengths were read through the API before the job ended."""
    assert len(padim.log_lengths) >= 2
    assert "[1/3]" in padim.log
    assert padim.log.rstrip().endswith("Ended: completed")


def test_its_run_holds_what_the_client_asked_for(padim: Finished) -> None:
    """TRK-2, TRK-4: the agreed names, system/ metrics, our own measurements, pictures."""
    results = padim.results
    assert {"method", "dataset", "epochs", "batch_size"} <= set(results["params"])
    agreed = {"image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro", "inference_time_ms", "vram_mb"}
    ours = {"system/training_time_seconds", "system/wall_seconds", "system/memory_bytes", "system/cpu_seconds"}
    assert agreed | ours <= set(results["metrics"])
    assert 0.6 < results["metrics"]["image_auc"] <= 1.0
    paths = {artifact["path"] for artifact in results["artifacts"]}
    assert {"curves/roc.png", "curves/pr.png", f"logs/{padim.job['job_id']}.log"} <= paths
    assert any(path.startswith("anomaly_maps/") and path.endswith(".png") for path in paths)


def test_the_board_agrees_with_the_run(padim: Finished, researcher: Researcher) -> None:
    """SCO-4: its row has the value that MLflow holds, is marked as mine, and says that the numbers are reported."""
    board = researcher.http.get(
        "/leaderboard", params={"benchmark": "synthetic", "entries": "all", "limit": 500}
    ).json()
    row = next(item for item in board["items"] if item["job_id"] == padim.job["job_id"])
    assert row["value"] == padim.results["metrics"]["image_auc"]
    assert (row["mine"], row["run_id"], board["scoring"]) == (True, padim.results["run_id"], "reported")
    values = [item["value"] for item in board["items"] if item["rank"] is not None]
    assert values == sorted(values, reverse=True)


def test_its_link_opens_the_run_in_mlflow(padim: Finished) -> None:
    """JOB-7: the public link shows this run's page in a real browser."""
    executable = service("LEADERSBOARD_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        page.goto(padim.results["mlflow_ui_url"])
        page.locator("summary").click()
        page.get_by_label("Access token").fill(service("LEADERSBOARD_TEST_TOKEN"))
        page.get_by_role("button", name="Sign in with token").click()
        page.get_by_text("image_auc", exact=True).first.wait_for(timeout=180_000)
        assert padim.results["run_id"] in page.url
        folder = REPOSITORY / ".state" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(folder / "mlflow-run.png"))
        browser.close()


def test_the_same_post_again_is_the_same_job(padim: Finished, researcher: Researcher) -> None:
    """JOB-2: one job, one run."""
    body = {"submission_id": padim.job["submission_id"], "config": {"benchmark": "synthetic"}}
    again = researcher.http.post("/jobs", json=body)
    assert (again.status_code, again.json()["job_id"]) == (202, padim.job["job_id"])
    assert again.json()["status"] == "completed"


def test_somebody_else_sees_nothing_of_it(padim: Finished, stack: Stack) -> None:
    """JOB-10: not its status, not its log, not its results, and no way to stop it; an admin sees it all."""
    job_id = padim.job["job_id"]
    with Researcher(stack.api_url, stack.other_token) as other, Researcher(stack.api_url, stack.admin_token) as admin:
        for path in ("status", "logs", "results"):
            assert other.http.get(f"/jobs/{job_id}/{path}").status_code == 404
            assert admin.http.get(f"/jobs/{job_id}/{path}").status_code == 200
        assert other.http.post(f"/jobs/{job_id}/cancel").status_code == 404


@pytest.mark.alone
def test_everything_at_once_leaves_the_stack_as_it_was(padim: Finished, researcher: Researcher) -> None:
    """P3, P6: bombs, flood, fill, links and forged lines in one; then PaDiM scores the same to the last digit."""
    created = researcher.http.post(
        "/submissions", files={"files": ("main.py", f"# {time.time()}\n{EVERYTHING}".encode())}
    )
    posted = researcher.http.post("/jobs", json={"submission_id": created.json()["submission_id"]})
    hostile = researcher.follow(posted.json()["job_id"])
    assert (hostile.job["status"], hostile.job["attempt"]) == ("failed", 1), hostile.job
    assert hostile.job["failure_reason"] in {"log_limit", "out_of_memory", "timeout", "output_limit"}
    assert researcher.http.get("/health/ready").status_code == 200
    again = researcher.follow(researcher.http.post(f"/jobs/{padim.job['job_id']}/rerun").json()["job_id"])
    assert again.job["status"] == "completed", again.log
    scores = ("image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro")
    before, after = ([found.results["metrics"][name] for name in scores] for found in (padim, again))
    assert before == after


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit(1)", "exit"),
        ("print('I forgot')", "no_metrics"),
        ("open('/out/metrics.json', 'w').write('{\"params\": {}, \"metrics\": [0.9]}')", "bad_metrics"),
    ],
)
def test_a_submission_that_goes_wrong_says_why(
    researcher: Researcher, tmp_path: Path, program: str, reason: str
) -> None:
    """BOX-9 through the public API: the reason, the words and the log, and no run on the board."""
    (tmp_path / "main.py").write_text(f"print('begun')\n{program}\n# {time.time()}\n")
    created = researcher.http.post("/submissions", files={"files": ("main.py", (tmp_path / "main.py").read_bytes())})
    posted = researcher.http.post("/jobs", json={"submission_id": created.json()["submission_id"]})
    done = researcher.follow(posted.json()["job_id"])
    assert (done.job["status"], done.job["failure_reason"]) == ("failed", reason)
    assert done.job["error_message"] in done.log
    assert "begun" in done.log
    assert done.results["run_id"] is None


def test_what_does_not_count_is_named_and_the_rest_is_ranked(researcher: Researcher) -> None:
    """FLD-3, FLD-4: one bad entry and a name of anomalib's, told in the status and in the log."""
    report = '{"params": {}, "metrics": {"image_AUROC": 0.61, "pixel_auc": NaN}}'
    program = f"open('/out/metrics.json', 'w').write('{report}')\n# {time.time()}\n"
    created = researcher.http.post("/submissions", files={"files": ("main.py", program.encode())})
    posted = researcher.http.post("/jobs", json={"submission_id": created.json()["submission_id"]})
    done = researcher.follow(posted.json()["job_id"])
    assert (done.job["status"], done.job["ranked"]) == ("completed", True), done.log
    assert done.results["metrics"]["image_auc"] == 0.61
    assert len(done.job["notes"]) == 2
    assert all(note in done.log for note in done.job["notes"])


@pytest.mark.parametrize(
    ("files", "fields", "status", "field"),
    [
        ({"files": ("code.tar.gz", b"not an archive")}, {}, 422, "files"),
        ({"files": ("../main.py", b"pass")}, {}, 422, "files"),
        ({"files": ("main.exe", b"pass")}, {}, 422, "files"),
        ({"files": ("main.py", b"pass")}, {"entrypoint": "../../etc/passwd.py"}, 422, "entrypoint"),
        ({"files": ("main.py", b"pass")}, {"entrypoint": "missing.py"}, 422, "entrypoint"),
        ({"files": ("main.py", b"pass")}, {"metadata": "{not json"}, 422, "metadata"),
        ({"files": ("big.py", b"x" * 101_000_000)}, {}, 413, "files"),
    ],
)
def test_a_bad_upload_is_refused_in_words(
    researcher: Researcher, files: dict[str, tuple[str, bytes]], fields: dict[str, str], status: int, field: str
) -> None:
    """SUB-2 to SUB-4: the answer names the field and the rule."""
    refused = researcher.http.post("/submissions", files=files, data=fields)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["field"] == field
    assert refused.json()["errors"][0]["rule"]


def test_unknown_tokens_and_jobs_are_refused(stack: Stack, researcher: Researcher) -> None:
    """AUT-1 and JOB-5 at the public door."""
    assert httpx2.get(f"{stack.api_url}/jobs").status_code == 401
    with Researcher(stack.api_url, "x" * 32) as stranger:
        assert stranger.http.get("/jobs").status_code == 401
    assert researcher.http.get(f"/jobs/{'0' * 32}/status").status_code == 404
