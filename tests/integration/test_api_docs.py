"""The commands of docs/api.md work as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running_gateway import Door

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parent.parent.parent / "docs" / "api.md"
COMMANDS = re.findall(r"^curl .*$", PAGE.read_text(), re.MULTILINE)
REFUSED = {
    "/artifacts/$ARTIFACT": 404,  # the job was cancelled two commands before
    "/admin/results/$JOB_ID/restore": 409,  # so it has no result
    "/admin/results/$JOB_ID/rescore": 409,
    "/jobs/$JOB_ID/entry": 409,  # nor an entry on a board
    **{f"/admin/entries/$JOB_ID{step}": 409 for step in ("/disqualify", "/restore", "/baseline")},
    "/auth/login": 401, "/auth/logout": 409, "/auth/password": 403,  # the tests' users have tokens of the settings
    # No runner has told of itself here, and nothing of the platform has failed.
    **{f"/admin/runners/$RUNNER{step}": 404 for step in ("", "/pause", "/drain", "/resume", "/canary")},
    **{f"/admin/dead-letters/$LETTER_ID{step}": 404 for step in ("", "/retry")},
}  # fmt: skip


@pytest.fixture(scope="module")
def place(door: Door, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with a submission's files, and the variables that the page speaks of."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "main.py").write_text("print(1)\n")
    (folder / "config.yaml").write_text("{}\n")
    files = [("files", (name, (folder / name).read_bytes())) for name in ("main.py", "config.yaml")]
    with door.client(door.admin_token) as client:
        submission = client.post("/submissions", files=files).json()["submission_id"]
        job = client.post("/jobs", json={"submission_id": submission}).json()["job_id"]
        client.post("/users", json={"name": "carol"}).raise_for_status()
    variables = {
        "API": door.url,
        "TOKEN": door.admin_token,
        "SUBMISSION_ID": submission,
        "JOB_ID": job,
        "NAME": "carol",
        "RUNNER": "box:1",
        "LETTER_ID": "0" * 32,
    }
    return folder, {**variables, "ARTIFACT": "curves/roc.png", "PATH": "/usr/bin:/bin"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: re.search(r'\$API([^"]*)"$', command)[1])  # type: ignore[index]
def test_the_command_is_taken(place: tuple[Path, dict[str, str]], command: str) -> None:
    folder, variables = place
    told = ["bash", "-c", command + " -w '%{stderr}%{http_code}'"]
    done = subprocess.run(told, cwd=folder, env=variables, capture_output=True, text=True, timeout=30, check=False)
    status = int(done.stderr[-3:] if done.returncode == 0 else re.findall(r"\d{3}", done.stderr)[-1])
    path = next((path for path in sorted(REFUSED, key=len, reverse=True) if command.endswith(f'{path}"')), "")
    expected = REFUSED.get(path)
    assert status == expected if expected else 200 <= status < 300, done.stdout[:500] + done.stderr


def test_every_call_has_a_command() -> None:
    assert len(COMMANDS) > 10
