"""A gateway and a UI of these sources beside the running stack, for what that one is too old or too busy for."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from runner.job_log.writer import LogWriter
from tests.browser.acts import send_token
from tests.conftest import redis_url
from tests.running_gateway import REPOSITORY, Door, environment, free_port, gateway_thread


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the UI is, the gateway behind it, and a job whose log the real writer writes."""

    url: str
    door: Door
    job_id: str
    log: Path

    @contextlib.contextmanager
    def writing(self) -> Iterator[LogWriter]:
        limits = {"max_bytes": 10**6, "max_lines": 10**6, "kept_bytes": 10**6}
        place = self.log.with_name("position")
        with LogWriter(self.log, position=place, confirm=lambda: None, **limits) as writer:
            yield writer

    def open(self, page: Page, path: str, token: str = Door.token) -> Page:
        """Signed in, on this page."""
        page.goto(self.url + path)
        send_token(page, token)
        page.wait_for_url(self.url + path)
        return page


@contextlib.contextmanager
def own_site(root: Path, mlflow_url: str) -> Iterator[Site]:
    """With a submission and a job that waits."""
    env = environment(root, redis_url=redis_url(), mlflow_url=mlflow_url)
    with gateway_thread(root, env) as door, ui_of(door) as url, door.client() as http:
        files = [("files", ("main.py", b"print(1)")), ("files", ("config.yaml", b"a: 1"))]
        submission = http.post("/submissions", files=files).raise_for_status().json()["submission_id"]
        job_id = http.post("/jobs", json={"submission_id": submission}).raise_for_status().json()["job_id"]
        yield Site(url=url, door=door, job_id=job_id, log=root / "logs" / f"{job_id}.log")


@contextlib.contextmanager
def ui_of(door: Door) -> Iterator[str]:
    """The UI of these sources, as a process of its own."""
    port = free_port()
    env = {"PATH": os.environ["PATH"], "HOME": str(door.root), "API_URL": door.url, "UI_SECRET": "0123456789abcdef" * 4}
    command = [sys.executable, "-m", "uvicorn", "--factory", "ui.app:build", "--port", str(port)]
    with (door.root / "ui.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=env, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 60
        while not _answers(port):
            assert process.poll() is None, (door.root / "ui.log").read_text()
            assert time.monotonic() < until, "the UI did not begin"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
