"""What a researcher sees: from signing in to a row on the board, in a real browser on the running stack."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from client.api.archive import uploads_of
from tests.browser.acts import ended, no_sideways_scroll, send_token, signed_in, submitted
from tests.browser.conftest import PHONE, Open, expected

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples"
Keep = Callable[[Page, str], None]


def test_signing_in_and_out(stack: Any, new_page: Open, complaints: list[str], screenshot: Keep) -> None:
    """A wrong token is told in words, a right one leads to the page that was wanted, signing out closes it."""
    page = new_page()
    page.goto(stack.ui_url + "/jobs")
    with expected(complaints, "401"):
        send_token(page, "wrong")
        expect(page.get_by_role("alert")).to_contain_text("not valid")
    screenshot(page, "login")
    signed_in(page, stack, "/jobs")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    expect(page.locator(".lb-user-name")).to_be_visible()
    page.wait_for_timeout(1000)  # leaving while the page is read is an error in its console
    cookies = page.context.cookies()
    assert all(stack.token not in str(cookie["value"]) for cookie in cookies)
    assert any(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto(stack.ui_url + "/submit")
    assert "/login" in page.url


def test_from_upload_to_the_board(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """The minimal example, submitted by the form, runs, shows its results and stands on the board as the user's own."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    with uploads_of(EXAMPLES / "minimal") as archive:
        submitted(page, [archive])
    ended(page, "completed")
    expect(page.locator(".lb-results")).to_contain_text("image_auc")
    expect(page.get_by_role("link", name="Open the run in MLflow")).to_have_attribute(
        "href", re.compile("^" + re.escape(stack.mlflow_url))
    )
    screenshot(page, "job-completed")
    page.goto(stack.ui_url + "/")
    expect(page.locator(".lb-board .lb-mine").first).to_be_visible()
    page.locator("th a[data-metric]").nth(1).click()
    page.wait_for_url("**metric=**")
    screenshot(page, "board")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/submit", "/jobs"])
def test_every_page_fits_a_phone(stack: Any, new_page: Open, screenshot: Keep, path: str, scheme: str) -> None:
    """At 390 pixels no page scrolls sideways, by day and by night."""
    page = signed_in(new_page(PHONE, scheme), stack, path)
    expect(page.locator(".lb-user-name")).to_be_visible()
    page.wait_for_timeout(1000)
    assert no_sideways_scroll(page)
    screenshot(page, f"phone-{scheme}-{path.strip('/') or 'board'}")


def test_the_night_is_dark(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """Who prefers dark gets a dark page with light text."""
    page = signed_in(new_page(scheme="dark"), stack, "/")
    expect(page.locator(".lb-user-name")).to_be_visible()
    page.wait_for_timeout(1000)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in background.strip("rgba()").split(",")[:3])
    assert max(red, green, blue) < 64
    screenshot(page, "board-dark")


def test_an_administrator_sees_whose_jobs(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """An administrator's list has everybody's jobs, with their users."""
    page = signed_in(new_page(), stack, "/jobs", stack.admin_token)
    expect(page.locator(".lb-user .lb-tag")).to_have_text("admin")
    expect(page.locator("th", has_text="User")).to_be_visible()
    screenshot(page, "jobs-admin")
