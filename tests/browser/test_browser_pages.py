"""What a researcher sees: from signing in to a row on the board, in a real browser on the running stack."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from client.api import connect
from client.api.archive import uploads_of
from tests.browser.conftest import DESKTOP, PHONE, Open, expected

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples"
EVIL = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script>"
SLOW_PROGRAM = """
import argparse, json, pathlib, time
parser = argparse.ArgumentParser(); parser.add_argument("--config"); parser.add_argument("--output")
output = pathlib.Path(parser.parse_args().output)
for step in range(STEPS):
    print(f"step {step} <b>not bold</b>", flush=True); time.sleep(0.5)
metrics = {"params": {"method": METHOD, "dataset": "synthetic"}, "metrics": {"image_auc": 0.5}}
(output / "metrics.json").write_text(json.dumps(metrics))
"""
JOB_TIME = 120_000
Keep = Callable[[Page, str], None]


def signed_in(page: Page, stack: Any, path: str = "/", token: str | None = None) -> Page:
    """Sign in by the form and be where one wanted to go."""
    page.goto(stack.ui_url + path)
    send_token(page, token or stack.token)
    page.wait_for_url(stack.ui_url + path)
    return page


def send_token(page: Page, token: str) -> None:
    """Fill and send the form for access tokens, which is folded at first."""
    if not page.get_by_label("Access token").is_visible():
        page.get_by_text("Use an access token instead").click()
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in with token").click()


def slow_submission(folder: Path, *, method: str = "slow", steps: int = 12) -> list[Path]:
    """A program that prints for a while; unlike every other, so that it is a job of its own."""
    program = SLOW_PROGRAM.replace("STEPS", str(steps)).replace("METHOD", repr(method))
    (folder / "main.py").write_text(f"# {secrets.token_hex(8)}\n{program}")
    (folder / "config.yaml").write_text("epochs: 1\n")
    return [folder / "main.py", folder / "config.yaml"]


def submitted(page: Page, files: list[Path]) -> str:
    """Submit files by the form; the id of the job, whose page is then open."""
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text(files[0].name, exact=False).first).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("link", name="Watch the job").click(timeout=30_000)
    page.wait_for_selector(".lb-job")
    return page.url.partition("id=")[2]


def ended(page: Page, state: str) -> None:
    """Wait until the open job has ended this way."""
    expect(page.locator(".lb-job .lb-pill")).to_have_text(state, timeout=JOB_TIME)


def no_sideways_scroll(page: Page) -> bool:
    """Whether the page fits its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


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
    expect(page.locator(".lb-results")).to_contain_text("image_auc", timeout=10_000)
    expect(page.get_by_role("link", name="Open the run in MLflow")).to_have_attribute(
        "href", re.compile("^" + re.escape(stack.mlflow_url))
    )
    screenshot(page, "job-completed")
    page.goto(stack.ui_url + "/")
    expect(page.locator(".lb-board .lb-mine").first).to_be_visible(timeout=10_000)
    page.locator("th a[data-metric]").nth(1).click()
    page.wait_for_url("**metric=**")
    screenshot(page, "board")


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
    expect(page.locator(".lb-log-state")).to_have_text("complete", timeout=10_000)
    assert not page.locator(".lb-log").evaluate("log => log.open")


def test_cancelling_asks_first(stack: Any, new_page: Open, tmp_path: Path) -> None:
    """Cancelling needs a second click, which the page's own refresh does not take away; then the job ends."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    submitted(page, slow_submission(tmp_path, steps=240))
    page.get_by_role("button", name="Cancel job").click(timeout=10_000)
    page.wait_for_timeout(5000)
    page.get_by_role("button", name="Yes, cancel it").click()
    ended(page, "cancelled")


def test_a_hostile_name_is_text(stack: Any, new_page: Open, screenshot: Keep, tmp_path: Path) -> None:
    """A method name full of markup and script is shown as it is, on the job's page and on the board."""
    with connect(stack.api_url, stack.admin_token) as client:
        files = slow_submission(tmp_path, method=EVIL, steps=1)
        job = client.create_job(client.create_submission(files).submission_id)
    page = signed_in(new_page(), stack, f"/job?id={job.job_id}", stack.admin_token)
    ended(page, "completed")
    expect(page.locator(".lb-results")).to_contain_text("onerror", timeout=10_000)
    page.goto(stack.ui_url + "/?entries=all")
    expect(page.locator(".lb-method", has_text="onerror").first).to_be_visible(timeout=10_000)
    assert page.title() != "broken in"
    assert page.locator(".lb-board img").count() == 0
    screenshot(page, "board-hostile-name")


def test_a_form_that_is_refused_says_why(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """An empty form and bad JSON are told in words, and what was typed stays."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    page.get_by_label("Entrypoint").fill("train.py")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".lb-notice-error")).to_contain_text("Choose at least one file")
    expect(page.get_by_label("Entrypoint")).to_have_value("train.py")
    screenshot(page, "submit-refused")


def drop(page: Page, files: dict[str, str]) -> None:
    """Drop files of this content on the form."""
    transfer = page.evaluate_handle(
        """files => {
            const data = new DataTransfer();
            for (const [name, text] of Object.entries(files)) data.items.add(new File([text], name));
            return data;
        }""",
        files,
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event(".lb-drop", kind, {"dataTransfer": transfer})


@pytest.mark.parametrize("look", [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_a_form_with_faults_is_mended_and_sent(
    stack: Any, new_page: Open, complaints: list[str], screenshot: Keep, look: tuple[tuple[int, int], str]
) -> None:
    """All faults stand at their fields at once; the platform's, too; files and fields stay until it is accepted."""
    page = signed_in(new_page(*look), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    drop(page, {"main.py": f"# {secrets.token_hex(8)}\nprint()\n", "config.yaml": "a: 1\n", "weights.bin": "x"})
    page.get_by_label("Entrypoint").fill("")
    page.get_by_text("Overrides and metadata").click()
    page.get_by_label("Config overrides (JSON)").fill("{a")
    page.get_by_label("Metadata (JSON)").fill("[]")
    page.get_by_role("button", name="Submit", exact=True).click()
    for name, words in (
        ("files", "weights.bin"),
        ("entrypoint", "which file"),
        ("overrides", "not JSON"),
        ("metadata", "object"),
    ):
        expect(page.locator(f"#lb-{name}-fault")).to_contain_text(words)
    expect(page.locator(".lb-notice-error li")).to_have_count(4)
    assert no_sideways_scroll(page)
    screenshot(page, f"submit-faults-{look[1]}-{look[0][0]}")
    page.get_by_role("button", name="Remove weights.bin").click()
    for label, text in (("Entrypoint", "train.py"), ("Config overrides (JSON)", "{}"), ("Metadata (JSON)", "")):
        page.get_by_label(label).fill(text)
    with expected(complaints, "422"):
        page.get_by_role("button", name="Submit", exact=True).click()
        expect(page.locator("#lb-entrypoint-fault")).to_contain_text("is not in the submission")
    expect(page.locator(".lb-files li")).to_have_count(2)
    page.get_by_label("Entrypoint").fill("main.py")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("link", name="Watch the job")).to_be_visible(timeout=30_000)
    expect(page.locator(".lb-files li")).to_have_count(0)
    assert no_sideways_scroll(page)
    screenshot(page, f"submit-accepted-{look[1]}-{look[0][0]}")


def test_the_form_works_by_keyboard(stack: Any, new_page: Open) -> None:
    """Tab reaches the file button and the fields in order; Enter sends, and the first fault has the focus."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    page.locator("#lb-files").focus()
    for name in ("benchmark", "resource_class", "entrypoint", "config_file"):
        page.keyboard.press("Tab")
        expect(page.locator(f"#lb-{name}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#lb-files-fault")).to_contain_text("Choose at least one file")
    expect(page.locator("#lb-files")).to_be_focused()


def test_a_large_upload_shows_its_progress_and_can_be_stopped(stack: Any, new_page: Open, tmp_path: Path) -> None:
    """While the bytes go their number is told; a stopped upload leaves the form as it was."""
    (tmp_path / "main.py").write_bytes(b"#" * 60_000_000)
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.locator("input[type=file]").set_input_files(tmp_path / "main.py")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".lb-progress-words")).to_contain_text(
        re.compile(r"Uploading: \d.* of 60.0 MB"), timeout=20_000
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".lb-outcome")).to_contain_text("You stopped the upload")
    expect(page.locator(".lb-files li")).to_have_count(1)
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_enabled()


def test_an_unknown_job_is_told(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """An address of no job says so, with the next step."""
    page = signed_in(new_page(), stack, "/job?id=nothing")
    expect(page.locator(".lb-notice-error")).to_be_visible(timeout=10_000)
    screenshot(page, "job-unknown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/submit", "/jobs"])
def test_every_page_fits_a_phone(stack: Any, new_page: Open, screenshot: Keep, path: str, scheme: str) -> None:
    """At 390 pixels no page scrolls sideways, by day and by night."""
    page = signed_in(new_page(PHONE, scheme), stack, path)
    expect(page.locator(".lb-user-name")).to_be_visible(timeout=10_000)
    page.wait_for_timeout(1000)
    assert no_sideways_scroll(page)
    screenshot(page, f"phone-{scheme}-{path.strip('/') or 'board'}")


def test_the_night_is_dark(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """Who prefers dark gets a dark page with light text."""
    page = signed_in(new_page(scheme="dark"), stack, "/")
    expect(page.locator(".lb-user-name")).to_be_visible(timeout=10_000)
    page.wait_for_timeout(1000)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in background.strip("rgba()").split(",")[:3])
    assert max(red, green, blue) < 64
    screenshot(page, "board-dark")


def test_an_administrator_sees_whose_jobs(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """An administrator's list has everybody's jobs, with their users."""
    page = signed_in(new_page(), stack, "/jobs", stack.admin_token)
    expect(page.locator(".lb-user .lb-tag")).to_have_text("admin", timeout=10_000)
    expect(page.locator("th", has_text="User")).to_be_visible()
    screenshot(page, "jobs-admin")
