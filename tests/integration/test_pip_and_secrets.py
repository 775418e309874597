"""The installer's own pip step with real pip: nothing of the index's address and password reaches a user's log."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.limits import RequirementsLimits
from runner.guest import pip_step
from runner.requirements.index import Index
from runner.requirements.installer import Installer
from tests.running_gateway import free_port

pytestmark = pytest.mark.integration

PASSWORD = "p%40ss w0rd".replace(" ", "%20")
"""As an address has it: `p@ss w0rd`."""


class _Refusing(BaseHTTPRequestHandler):
    """An index that knows no package, or asks for another password."""

    def do_GET(self) -> None:
        status = HTTPStatus.UNAUTHORIZED if "secured" in self.path else HTTPStatus.NOT_FOUND
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def index() -> Iterator[Index]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Index(urls=(f"http://robot:{PASSWORD}@127.0.0.1:{server.server_address[1]}/simple",))
    server.shutdown()
    server.server_close()


def pip_says(index: Index, wanted: list[str], folder: Path) -> str:
    """What the installer's container prints, by its own program and settings."""
    program = Path(pip_step.__file__).read_text().replace('Path("/out")', f"Path({str(folder)!r})")
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, *wanted],
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INPUT": "1", "PIP_RETRIES": "0",
             "PIP_TIMEOUT": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1", **index.environment()},
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode
    return (done.stdout + done.stderr).decode()


def shown(index: Index, text: str) -> str:
    """As `Installer` puts it into a job's log."""
    installer = Installer(client=None, seccomp="", index=index, limits=RequirementsLimits())  # type: ignore[arg-type]
    container: Any = SimpleNamespace(logs=lambda tail: "\n".join(text.splitlines()[-tail:]).encode())
    return installer._why(container, out_of_memory=False)


def assert_nothing_of_it(text: str, index: Index) -> None:
    host = index.urls[0].partition("@")[2].partition("/")[0]
    for secret in ("p%40ss", "p@ss", "w0rd", "robot:", host, "127.0.0.1"):
        assert secret.lower() not in text.lower(), text


@pytest.mark.parametrize("wanted", ["no-such-package-anywhere", "secured", "numpy>=9999", "a" * 300])
def test_what_pip_prints_is_shown_without_the_address(index: Index, tmp_path: Path, wanted: str) -> None:
    """An unknown package, a refused password, a version that is not there, a long line."""
    said = pip_says(index, [wanted], tmp_path)
    assert "127.0.0.1" in said or "No matching distribution" in said or "not find" in said
    assert_nothing_of_it(shown(index, said), index)


def test_an_index_that_is_away_is_not_named(tmp_path: Path) -> None:
    """pip then prints host, port, path and its own classes."""
    index = Index(urls=(f"http://robot:{PASSWORD}@127.0.0.1:{free_port()}/simple",))
    said = pip_says(index, ["no-such-package-anywhere"], tmp_path)
    assert_nothing_of_it(shown(index, said), index)


def test_a_line_that_pip_expands_is_hidden_before_it_is_cut(index: Index, tmp_path: Path) -> None:
    """The line that was found to print the password: real pip does expand it, and what is shown holds none of it."""
    line = f"packaging; python_version > '{'3' + 'A' * 330}${{PIP_INDEX_URL}}' and"
    said = pip_says(index, [line], tmp_path)
    assert "robot:" in said, "pip no longer expands variables: this test shows nothing"
    assert_nothing_of_it(shown(index, said), index)
