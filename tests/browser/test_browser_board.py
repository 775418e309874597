"""The board in a real browser: titles, reasons, hiding, export; on a site of its own with results in its ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Page, expect

from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.sealed_result import SealedResult
from tests.browser.acts import no_sideways_scroll
from tests.browser.conftest import DESKTOP, PHONE, Open
from tests.browser.own_site import Site, own_site
from tests.builders import NOON
from tests.running_gateway import Door

pytestmark = pytest.mark.browser

BIG = "パッチコア・" * 8


def completed(redis_client: redis.Redis, user: str, number: int, metrics: Mapping[str, float], method: str) -> str:
    """A job whose result is sealed, without a run."""
    ledger = RedisJobStatus(redis_client)
    request = JobRequest(submission_id=f"{number:032x}", user_id=user, resource_class="other", benchmark="synthetic")
    ledger.admit(request, UserLimits(jobs_per_hour=99))
    claim = ledger.claim("other", worker="w", lease_seconds=60, running_limit=9)
    assert claim is not None
    result = SealedResult(
        job_id=claim.job_id, benchmark="synthetic", user_id=user, submission_id=claim.job.submission_id,
        run_id=f"{number:032x}", experiment_id="1", metrics=metrics, method=method, ended_at=NOON,
        figures={"system/wall_seconds": 40.0 + 70 * number, "system/memory_bytes": 9e8 + 1e8 * number},
    )  # fmt: skip
    return ledger.finish(claim, Outcome(state=JobState.COMPLETED, run_id=result.run_id, ranked=True), result).job_id


@pytest.fixture
def site(tmp_path: Path, mlflow_url: str, redis_client: redis.Redis) -> Iterator[tuple[Site, list[str]]]:
    """Four results: two of ann, one of bob, and one of him that cannot be ranked; the best one's job comes first."""
    with own_site(tmp_path, mlflow_url) as found:
        jobs = [
            completed(redis_client, user, number, metrics, method)
            for number, (user, metrics, method) in enumerate([
                ("bob", {"image_auc": 0.84}, "difference of means"),
                ("ann", {"image_auc": 0.91}, "PaDiM"),
                ("ann", {"image_auc": 0.77}, BIG),
                ("bob", {"image_auc": 7.0}, "percent"),
            ])
        ]  # fmt: skip
        yield found, sorted(jobs, key=lambda job_id: job_id != jobs[1])


def ranks(page: Page) -> list[str]:
    return [row.inner_text().split("\t")[0].strip() for row in page.locator(".lb-board tbody tr").all()]


def test_an_owner_names_and_hides_an_entry(
    site: tuple[Site, list[str]], new_page: Open, screenshot: Callable[[Page, str], None]
) -> None:
    """From the job's page; the board follows, closes up, and offers all of it as a file."""
    own, jobs = site
    page = own.open(new_page(), f"/job?id={jobs[0]}")
    page.get_by_label("Title").fill("100 features")
    page.get_by_label("Note").fill("<b>first</b> try, see the paper")
    page.get_by_role("button", name="Save title and note").click()
    screenshot(page, "entry")
    page.goto(own.url + "/?entries=all")
    expect(page.locator(".lb-board")).to_contain_text("<b>first</b> try")
    assert ranks(page) == ["1", "2", "3", "–"]
    expect(page.locator(".lb-why")).to_have_text("Not ranked: image_auc 7 is out of 0..1 (percent? write 0.07)")
    screenshot(page, "board-titles")
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").click()
    assert saved.value.suggested_filename == "leaderboard-synthetic.csv"
    assert "100 features" in Path(saved.value.path()).read_text(encoding="utf-8-sig")
    page.goto(f"{own.url}/job?id={jobs[0]}")
    page.get_by_role("button", name="Hide from the board").click()
    expect(page.locator(".lb-entry")).to_contain_text("Nothing is deleted")
    screenshot(page, "entry-hidden")
    page.goto(own.url + "/?entries=all")
    expect(page.locator(".lb-board tbody tr")).to_have_count(3)
    assert ranks(page) == ["1", "2", "–"]
    page.goto(f"{own.url}/job?id={jobs[0]}")
    page.get_by_role("button", name="Show on the board again").click()
    expect(page.get_by_role("button", name="Hide from the board")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_an_admin_disqualifies_and_restores(
    site: tuple[Site, list[str]],
    new_page: Open,
    screenshot: Callable[[Page, str], None],
    size: tuple[int, int],
    scheme: str,
) -> None:
    """With a reason, which is asked for; on a desktop in the dark, and on a phone."""
    own, jobs = site
    page = own.open(new_page(size=size, scheme=scheme), f"/job?id={jobs[0]}", token=Door.admin_token)
    page.get_by_role("button", name="Disqualify").click()
    expect(page.locator(".lb-entry")).to_contain_text("reason")
    page.get_by_label("Reason").fill("It read the labels from the names of the files.")
    page.get_by_role("button", name="Disqualify").click()
    expect(page.locator(".lb-entry")).to_contain_text("Disqualified by an administrator")
    screenshot(page, f"entry-out-{scheme}")
    assert no_sideways_scroll(page)
    page.goto(own.url + "/?entries=all")
    last = page.locator(".lb-board tbody tr").last
    expect(last).to_contain_text("Not ranked: disqualified: It read the labels from the names of the files.")
    assert ranks(page) == ["1", "2", "–", "–"]
    screenshot(page, f"board-out-{scheme}")
    assert no_sideways_scroll(page)
    page.goto(f"{own.url}/job?id={jobs[0]}")
    page.get_by_label("Reason").fill("It did not.")
    page.get_by_role("button", name="Restore to the ranks").click()
    expect(page.get_by_role("button", name="Disqualify")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "dark")])
def test_costs_rank_and_are_drawn(
    site: tuple[Site, list[str]],
    new_page: Open,
    screenshot: Callable[[Page, str], None],
    size: tuple[int, int],
    scheme: str,
) -> None:
    """A click on a cost's head ranks by it, the address says so, and the chart follows."""
    own, _jobs = site
    page = own.open(new_page(size=size, scheme=scheme), "/?entries=all&cost=memory_bytes")
    expect(page.locator(".lb-chart")).to_contain_text("Score against cost")
    drawn = page.locator(".lb-chart canvas, .lb-chart svg.marks").first
    expect(drawn).to_be_visible()
    if size == DESKTOP:  # a phone shows the column that ranks, and has the list above
        page.locator('th a[data-metric="system/wall_seconds"]').click()
        expect(page.locator('th[aria-sort="ascending"]')).to_contain_text("Time")
        assert ranks(page) == ["1", "2", "3", "4"]
        page.wait_for_url("**metric=system%2Fwall_seconds**")
    page.goto(own.url + "/?entries=latest")
    expect(page.locator(".lb-board tbody tr")).to_have_count(2)
    page.goto(own.url + "/?entries=all")
    expect(drawn).to_be_visible()
    expect(page.locator(".lb-history canvas, .lb-history svg.marks").first).to_be_visible()
    screenshot(page, f"costs-{scheme}-{size[0]}")
    assert no_sideways_scroll(page)
