"""On a job's page: where its result comes from, and whether a rerun has the result of the job that it repeats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Page, expect

from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import JobState, Outcome
from core.domain.provenance import Provenance
from core.domain.sealed_result import SealedResult
from tests.browser.conftest import Open
from tests.browser.own_site import own_site

pytestmark = pytest.mark.browser

TORCH = ("2.14.0", "2.15.0")


def complete(ledger: RedisJobStatus, auc: float, torch: str) -> str:
    """Ends the next job with this result, as a runner does."""
    claim = ledger.claim("small", worker="w", lease_seconds=60, running_limit=9)
    assert claim is not None
    origin = Provenance(data_sha256="d" * 64, libraries={"torch": torch}, unknown={"seed": "the config names none"})
    result = SealedResult(
        job_id=claim.job_id, benchmark=claim.job.benchmark, user_id=claim.job.user_id,
        submission_id=claim.job.submission_id, run_id="1" * 32, experiment_id="1", metrics={"image_auc": auc},
        params={"config/epochs": "3"}, provenance=origin, ended_at=claim.job.created_at,
    )  # fmt: skip
    return ledger.finish(claim, Outcome(state=JobState.COMPLETED, run_id=result.run_id), result).job_id


def test_a_rerun_is_compared(
    tmp_path: Path,
    redis_client: redis.Redis,
    mlflow_url: str,
    new_page: Open,
    screenshot: Callable[[Page, str], None],
) -> None:
    with own_site(tmp_path, mlflow_url) as site, site.door.client() as http:
        ledger = RedisJobStatus(redis_client)
        first = complete(ledger, 0.5, TORCH[0])
        again = http.post(f"/jobs/{first}/rerun").raise_for_status().json()["job_id"]
        assert complete(ledger, 0.25, TORCH[1]) == again
        page = site.open(new_page(), f"/job?id={again}")
        words = "The result does not hold. Other than before: image_auc."
        expect(page.get_by_text(words)).to_be_visible(timeout=60_000)
        expect(page.get_by_text("libraries.torch: 2.14.0 → 2.15.0")).to_be_visible()
        expect(page.get_by_role("heading", name="Config, with overrides")).to_be_visible()
        page.get_by_text("Where this result comes from").click()
        expect(page.get_by_text("d" * 64)).to_be_visible()
        expect(page.get_by_text("seed: the config names none")).to_be_visible()
        screenshot(page, "rerun")
        page.get_by_role("link", name=first[:8]).click()
        page.wait_for_url(f"**/job?id={first}")
        expect(page.get_by_text("Where this result comes from")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("Repeats job")).to_have_count(0)
        page.close()  # before its site ends, or it complains of that
