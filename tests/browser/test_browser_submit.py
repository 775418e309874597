"""The submit form in a real browser: faults at their fields, the keyboard, progress."""

import re
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import no_sideways_scroll, signed_in
from tests.browser.conftest import DESKTOP, PHONE, Open, expected

pytestmark = pytest.mark.browser

Keep = Callable[[Page, str], None]


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


def test_what_was_left_out_of_an_archive_is_told(stack: Any, new_page: Open, screenshot: Keep, tmp_path: Path) -> None:
    """FLD-1: below the queued job."""
    with zipfile.ZipFile(tmp_path / "Archive.zip", "w") as archive:
        for name in ("mine/main.py", "mine/.DS_Store", "__MACOSX/mine/._main.py"):
            archive.writestr(name, f"# {secrets.token_hex(8)}\n")
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    page.locator("#lb-files").set_input_files(tmp_path / "Archive.zip")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".lb-outcome")).to_contain_text("2 files and folders that macOS or Windows adds")
    expect(page.locator(".lb-outcome")).to_contain_text("The outer folder 'mine/' was taken off.")
    screenshot(page, "submit-left-out")


def test_a_form_that_is_refused_says_why(stack: Any, new_page: Open, screenshot: Keep) -> None:
    """An empty form and bad JSON are told in words, and what was typed stays."""
    page = signed_in(new_page(), stack, "/submit")
    expect(page.locator(".lb-hints h3").first).to_be_visible()
    page.get_by_label("Entrypoint").fill("train.py")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".lb-notice-error")).to_contain_text("Choose at least one file")
    expect(page.get_by_label("Entrypoint")).to_have_value("train.py")
    screenshot(page, "submit-refused")


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
    expect(page.get_by_role("link", name="Watch the job")).to_be_visible()
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
    expect(page.locator(".lb-progress-words")).to_contain_text(re.compile(r"Uploading: \d.* of 60.0 MB"))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".lb-outcome")).to_contain_text("You stopped the upload")
    expect(page.locator(".lb-files li")).to_have_count(1)
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_enabled()
