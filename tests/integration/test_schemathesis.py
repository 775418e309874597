"""The API against its own description: schemathesis asks every call, well and badly, and follows the links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.live import log_stream
from tests.running_gateway import Door

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parent.parent.parent
LIMIT_SECONDS = 90
COMMAND = [
    sys.executable, "-m", "schemathesis.cli", f"--config-file={Path(__file__).with_name('schemathesis.toml')}", "run",
    "--seed=1", "--max-examples=10", "--checks=all", "--no-color",
]  # fmt: skip


@pytest.fixture(autouse=True)
def streams_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting job's stream lasts as long as the site allows, and schemathesis reads to the end."""
    monkeypatch.setattr(log_stream, "LIFE_SECONDS", 0.1)


def run(door: Door, folder: Path, *options: str) -> str:
    """Its report; the run has found nothing, or the test fails with what it found."""
    done = subprocess.run(
        [*COMMAND, *options, f"{door.url}/openapi.json"],
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.integration.schemathesis_hooks", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_no_call_of_a_user_finds_a_fault_or_an_undeclared_answer(door: Door, tmp_path: Path) -> None:
    """No 5xx, no undeclared status, shape or content type; every method, broken value and link."""
    report = run(door, tmp_path, "--header", f"Authorization: Bearer {door.token}")
    covered = re.search(r"API Links:\s+(\d+) covered", report)
    assert covered, report
    assert int(covered[1]) > 0, "no upload was taken, so nothing behind it was asked"


def test_no_call_of_an_admin_finds_one(door: Door, tmp_path: Path) -> None:
    run(door, tmp_path, "--header", f"Authorization: Bearer {door.admin_token}")


def test_no_call_without_a_token_finds_one(door: Door, tmp_path: Path) -> None:
    """AUT-1 too: schemathesis fails on a call that says it needs a token and answers without."""
    run(door, tmp_path)
