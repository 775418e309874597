"""How a command ends when something failed."""

import httpx2
import pytest

from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import Platform, problem

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(422, "invalid", "No.", errors=[{"field": "entrypoint", "rule": "must end in .py"}]), 3),
        (problem(401, "unauthenticated", "No."), 2),
        (httpx2.ConnectError("no"), 3),
        (httpx2.Response(200, text="hello"), 3),
    ],
)
def test_failures_are_told_with_the_next_step(
    run: Run, platform: Platform, folder: str, answer: httpx2.Response | Exception, code: int
) -> None:
    """A failure names what failed, the field, the next step and the id to quote; never a traceback."""
    platform.answers("POST", "/submissions", answer)
    done = run("submit", folder)
    assert done.exit_code == code
    assert done.stderr.startswith("Error: ")
    assert "Next: " in done.stderr
    assert ("entrypoint: must end in .py" in done.stderr) == (getattr(answer, "status_code", 0) == 422)
