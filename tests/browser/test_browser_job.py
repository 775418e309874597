"""A job's page in a real browser: its log as it grows, cancelling, and hostile names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from client.api import connect
from tests.browser.acts import JOB_TIME, ended, signed_in, slow_submission, submitted
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script>"
Keep = Callable[[Page, str], None]


def test_the_log_grows_while_the_job_runs(stack: Any, new_page: Open, screenshot: Keep, tmp_path: Path) -> None:
    """Lines appear as they are printed, markup in them is text, pausing holds still, and the end is complete."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    job_id = submitted(page, slow_submission(tmp_path))
    text = page.locator(".lb-log-text")
    expect(text).to_contain_text("step 1 <b>not bold</b>", timeout=JOB_TIME)
    assert "step 11" not in text.inner_text()
    screenshot(page, "job-running")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Follow")).to_be_visible()
    ended(page, "completed")
    expect(text).to_contain_text("step 11")
    assert [text.inner_text().count(f"step {step} ") for step in range(12)] == [1] * 12
    page.goto(f"{stack.ui_url}/job?id={job_id}")
    expect(page.locator(".lb-log-state")).to_have_text("complete")
    assert not page.locator(".lb-log").evaluate("log => log.open")


def test_cancelling_asks_first(stack: Any, new_page: Open, tmp_path: Path) -> None:
    """Cancelling needs a second click, which the page's own refresh does not take away; then the job ends."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    submitted(page, slow_submission(tmp_path, steps=240))
    page.get_by_role("button", name="Cancel job").click()
    page.wait_for_timeout(5000)
    page.get_by_role("button", name="Yes, cancel it").click()
    ended(page, "cancelled")


def test_a_hostile_name_is_text(stack: Any, new_page: Open, screenshot: Keep, tmp_path: Path) -> None:
    """A method name full of markup and script is shown as it is, on the job's page and on the board."""
    with connect(stack.api_url, stack.admin_token) as client:
        files = slow_submission(tmp_path, method=EVIL, steps=1, image_auc=1.0)  # so the board's first page has it
        job = client.create_job(client.create_submission(files).submission_id)
    page = signed_in(new_page(), stack, f"/job?id={job.job_id}", stack.admin_token)
    ended(page, "completed")
    expect(page.locator(".lb-results")).to_contain_text("onerror")
    page.goto(stack.ui_url + "/?entries=all")
    expect(page.locator(".lb-method", has_text="onerror").first).to_be_visible()
    assert page.title() != "broken in"
    assert page.locator(".lb-board img").count() == 0
    screenshot(page, "board-hostile-name")


def test_an_unknown_job_is_told(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """An address of no job says so, with the next step."""
    page = signed_in(new_page(), stack, "/job?id=nothing")
    expect(page.locator(".lb-notice-error")).to_be_visible()
    screenshot(page, "job-unknown")
