"""A gateway on twins in memory: three users' clients, and a way to send what no client would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from core.domain.job import Claim, JobState, Outcome
from core.domain.metrics import RunMetrics
from core.ports.tracking import Result
from core.wiring import Ports
from tests.builders import MAIN

TOKENS = {name: f"token-of-{name}-0123456789" for name in ("ada", "bob", "root")}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What an ASGI app answered, and how much of the body it had asked for by then."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks_read: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The gateway and what it stands on."""

    app: FastAPI
    ports: Ports
    root: Path
    clients: dict[str, TestClient] = field(default_factory=dict)

    def as_(self, user: str | None) -> TestClient:
        """A client of that user, or of nobody; a crash inside is an answer, not an exception."""
        if user not in self.clients:
            client = TestClient(self.app, raise_server_exceptions=False)
            client.headers |= {"Authorization": f"Bearer {TOKENS[user]}"} if user else {}
            self.clients[user or ""] = client
        return self.clients[user or ""]

    def upload(self, user: str = "ada") -> str:
        """A submission of that user's; answers its id."""
        answer = self.as_(user).post("/submissions", files=[("files", ("main.py", MAIN))])
        assert answer.status_code == 201, answer.text
        return str(answer.json()["submission_id"])

    def post_job(self, user: str = "ada", submission_id: str | None = None, **config: Any) -> str:
        """A job of that user's; answers its id."""
        body = {"submission_id": submission_id or self.upload(user), "config": config}
        answer = self.as_(user).post("/jobs", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def claim(self) -> Claim:
        """The next job of class small, as a runner gets it."""
        found = self.ports.job_status.claim("small", worker="w", lease_seconds=60, running_limit=9)
        assert found is not None
        return found

    def run(self, user: str = "ada", metrics: Mapping[str, float] | None = None, **config: Any) -> str:
        """A job of that user's that has ended well; answers its id."""
        self.post_job(user, **config)
        claim = self.claim()
        reported = RunMetrics(params={"method": "padim"}, metrics=metrics or {"image_auc": 0.5}, performance={})
        result = Result(job=claim.job, metrics=reported, measured={})
        ref = self.ports.tracking.record(result)
        outcome = Outcome(state=JobState.COMPLETED, run_id=ref.run_id)
        self.ports.job_status.finish(claim, outcome, result.sealed_as(ref))
        return claim.job_id

    def send(
        self,
        path: str,
        chunks: Iterable[bytes],
        *,
        headers: Mapping[str, str],
        user: str | None = "ada",
        breaks_off: bool = False,
    ) -> Reply:
        """POST a body in chunks straight to the app; `breaks_off` ends it as a lost connection does."""
        declared = {} if "Content-Length" in headers else {"Transfer-Encoding": "chunked"}  # else it has no body: HTTP
        known = {"Authorization": f"Bearer {TOKENS[user]}"} if user else {}
        return asyncio.run(_call(self.app, path, known | declared | dict(headers), iter(chunks), breaks_off))

    def stored(self) -> list[str]:
        """Whatever the submissions folder holds besides empty folders of its own."""
        folder = self.root / "submissions"
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.name.startswith("."))


async def _call(
    app: FastAPI,
    path: str,
    headers: Mapping[str, str],
    chunks: Iterator[bytes],
    breaks_off: bool,  # noqa: FBT001
) -> Reply:
    read, answered, status, head, body = 0, False, 0, {}, b""

    async def receive() -> dict[str, Any]:
        nonlocal read
        if answered:
            return {"type": "http.disconnect"}
        chunk = next(chunks, None)
        if chunk is None:
            return {"type": "http.disconnect"} if breaks_off else {"type": "http.request", "body": b""}
        read += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal answered, status, body
        if message["type"] == "http.response.start":
            status = message["status"]
            head.update({key.decode(): value.decode() for key, value in message["headers"]})
        else:
            body += message.get("body", b"")
            answered = not message.get("more_body", False)

    await app(_scope(path, headers), receive, send)
    return Reply(status=status, headers=head, body=body, chunks_read=read)


def _scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8010),
    }
