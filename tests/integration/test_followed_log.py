"""JOB-6, LOG-2: a log that a user follows goes on over a restart and over the death of the real gateway."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Self

import pytest
import redis

from client.api.async_client import AsyncLeadersboardClient
from client.api.exchange import open_async_http
from client.api.log_stream import Ended, LogEvent, LogStream, Reading
from client.api.models import LogPart
from core.ports.sandbox import Stream
from runner.job_log.writer import LogWriter
from tests.conftest import redis_url
from tests.running_gateway import environment, free_port, gateway_process

pytestmark = pytest.mark.integration


class Site:
    """A gateway that can be stopped and started again at its port, and a job with a log."""

    def __init__(self, root: Path, mlflow_url: str) -> None:
        self._root = root
        self._env = environment(root, redis_url=redis_url(), mlflow_url=mlflow_url)
        self._running = ExitStack()
        self.job_id = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._running.close()

    def start(self) -> None:
        self.door, self.process = self._running.enter_context(gateway_process(self._root, self._env))

    def stop(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(30)
        self._running.close()

    def post_job(self) -> None:
        files = [("files", ("main.py", b"print(1)")), ("files", ("config.yaml", b"a: 1"))]
        with self.door.client() as http:
            submission = http.post("/submissions", files=files).raise_for_status().json()["submission_id"]
            self.job_id = http.post("/jobs", json={"submission_id": submission}).raise_for_status().json()["job_id"]

    def end_job(self) -> None:
        """It has not begun, so a cancel is its end."""
        with self.door.client() as http:
            http.post(f"/jobs/{self.job_id}/cancel").raise_for_status()

    def writer(self) -> LogWriter:
        log = self._root / "logs" / f"{self.job_id}.log"
        limits = {"max_bytes": 10**6, "max_lines": 10**6, "kept_bytes": 10**6}
        return LogWriter(log, position=log.with_name("position"), confirm=lambda: None, **limits)


async def until_line(events: AsyncGenerator[LogEvent], found: list[LogEvent], line: str) -> None:
    """Read on until this line is there."""
    while line not in text_of(found):
        found.append(await anext(events))


def text_of(events: list[LogEvent]) -> str:
    return "".join(event.logs for event in events if isinstance(event, LogPart))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_followed_log_outlives_its_gateway(
    tmp_path: Path, redis_client: redis.Redis, mlflow_url: str, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    """What is printed before, while it is away, and after comes once and in order, and then the end."""
    port = free_port()
    monkeypatch.setattr("tests.running_gateway.free_port", lambda: port)

    async def follow(site: Site, log: LogWriter) -> list[LogEvent]:
        def printed(words: str) -> None:
            log.output(f"{words} é\x1b[31m\n".encode(), Stream.STDOUT)

        found: list[LogEvent] = []
        async with open_async_http(site.door.url, use_proxies=False) as http:
            stream = LogStream(AsyncLeadersboardClient(http, site.door.token), site.job_id, offset=0)
            async with aclosing(stream.events()) as events:
                printed("before")
                await until_line(events, found, "before")
                await asyncio.to_thread(site.stop, how)
                printed("while it is away")
                await asyncio.to_thread(site.start)
                await until_line(events, found, "while it is away")
                printed("after")
                await until_line(events, found, "after")
                await asyncio.to_thread(site.end_job)
                found += [event async for event in events]
        return found

    with Site(tmp_path, mlflow_url) as site:
        site.post_job()
        with site.writer() as log:
            found = asyncio.run(asyncio.wait_for(follow(site, log), 120))
    assert text_of(found) == "".join(f"{words} é\x1b[31m\n" for words in ("before", "while it is away", "after"))
    assert found[-1] == Ended()
    assert [event.is_pushed for event in found if isinstance(event, Reading)] == [True, True]
