"""A trial as people see it: Try it, its page, and Submit it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Page, expect

from core.adapters.files.trial_files import TrialFiles
from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import JobState, Outcome
from core.domain.metrics import RunMetrics
from core.domain.sealed_result import SealedFile
from core.ports.tracking import Result, RunRef
from tests.browser.acts import no_sideways_scroll
from tests.browser.conftest import DESKTOP, PHONE, Open
from tests.browser.own_site import Site, own_site
from tests.conftest import redis_url

pytestmark = pytest.mark.browser

Keep = Callable[[Page, str], None]
CURVE = "曲線/ネジ ROC.png"


@pytest.fixture
def site(tmp_path: Path, redis_client: redis.Redis, mlflow_url: str) -> Iterator[Site]:
    assert redis_client.dbsize() == 0
    with own_site(tmp_path, mlflow_url) as made:
        yield made


def end_trial(site: Site) -> None:
    """End the waiting trial as a runner does."""
    with closing(connect(redis_url())) as client:
        ledger = RedisJobStatus(client)
        claim = ledger.claim("small", worker="w", lease_seconds=60, running_limit=9)
        assert claim is not None
        assert claim.job.trial
        out = site.door.root / "out"
        (out / CURVE).parent.mkdir(parents=True)
        (out / CURVE).write_bytes(b"no picture")
        TrialFiles(site.door.root / "logs").keep(claim.job_id, out, [CURVE])
        metrics = {"image_auc": 0.93, "ネジ/image_auc": 0.91}
        result = Result(
            job=claim.job,
            metrics=RunMetrics(params={"method": "PaDiM"}, metrics=metrics, performance={}),
            measured={},
            files=[SealedFile(path=CURVE, size_bytes=10)],
        )
        outcome = Outcome(state=JobState.COMPLETED, ranked=True, notes=("image_AUROC was taken for image_auc.",))
        ledger.finish(claim, outcome, result.sealed_as(RunRef(run_id="", experiment_id="")))


@pytest.mark.parametrize("look", [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_a_program_is_tried_and_then_submitted(
    site: Site,
    new_page: Open,
    complaints: list[str],
    screenshot: Keep,
    look: tuple[tuple[int, int], str],
) -> None:
    """From the form to the trial's page, to its judgement, to a job of the same files."""
    size, scheme = look
    name = f"trial-{size[0]}-{scheme}"
    page = site.open(new_page(size, scheme), "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    program = {"name": "main.py", "mimeType": "text/x-python", "buffer": secrets.token_hex(8).join("##").encode()}
    page.locator("#lb-files").set_input_files([program])  # type: ignore[list-item]
    screenshot(page, f"{name}-form")
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="Try it", exact=True).click()
    expect(page.locator(".lb-outcome")).to_contain_text("Queued as trial")
    screenshot(page, f"{name}-queued")
    page.get_by_role("link", name="Watch the trial").click()
    expect(page.locator(".lb-job h1")).to_contain_text("Trial")
    expect(page.locator(".lb-job")).to_contain_text("Trial: nothing is recorded")
    expect(page.get_by_role("button", name="Submit it")).to_be_hidden()
    end_trial(site)
    expect(page.locator(".lb-results")).to_contain_text("This would be ranked on synthetic")
    expect(page.locator(".lb-job")).to_contain_text("Trial: nothing was recorded")
    expect(page.locator(".lb-results")).to_contain_text(CURVE)
    expect(page.locator(".lb-results")).not_to_contain_text("MLflow")
    assert no_sideways_scroll(page)
    screenshot(page, f"{name}-ended")
    page.get_by_role("button", name="Submit it").click()
    expect(page.get_by_text("Queued as job")).to_be_visible()
    screenshot(page, f"{name}-submitted")
    page.get_by_role("link", name="Watch the job").click()
    expect(page.locator(".lb-job h1")).to_contain_text("Job")
    page.goto(site.url + "/jobs")
    expect(page.locator(".lb-jobs .lb-badge")).to_have_count(1)
    assert no_sideways_scroll(page)
    screenshot(page, f"{name}-list")
    assert complaints == []
