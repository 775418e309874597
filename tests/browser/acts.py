"""What a user does on the pages: sign in, submit, wait."""

import secrets
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

SLOW_PROGRAM = """
import argparse, json, pathlib, time
parser = argparse.ArgumentParser(); parser.add_argument("--config"); parser.add_argument("--output")
output = pathlib.Path(parser.parse_args().output)
for step in range(STEPS):
    print(f"step {step} <b>not bold</b>", flush=True); time.sleep(0.5)
metrics = {"params": {"method": METHOD, "dataset": "synthetic"}, "metrics": {"image_auc": IMAGE_AUC}}
(output / "metrics.json").write_text(json.dumps(metrics))
"""
JOB_TIME = 300_000


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


def slow_submission(folder: Path, *, method: str = "slow", steps: int = 12, image_auc: float = 0.5) -> list[Path]:
    """A program that prints for a while; unlike every other, so that it is a job of its own."""
    program = SLOW_PROGRAM.replace("STEPS", str(steps)).replace("METHOD", repr(method))
    program = program.replace("IMAGE_AUC", str(image_auc))
    (folder / "main.py").write_text(f"# {secrets.token_hex(8)}\n{program}")
    (folder / "config.yaml").write_text("epochs: 1\n")
    return [folder / "main.py", folder / "config.yaml"]


def submitted(page: Page, files: list[Path]) -> str:
    """Submit files by the form; the id of the job, whose page is then open."""
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text(files[0].name, exact=False).first).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("link", name="Watch the job").click()
    page.wait_for_selector(".lb-job")
    return page.url.partition("id=")[2]


def ended(page: Page, state: str) -> None:
    """Wait until the open job has ended this way."""
    expect(page.locator(".lb-job .lb-pill")).to_have_text(state, timeout=JOB_TIME)


def no_sideways_scroll(page: Page) -> bool:
    """Whether the page fits its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
