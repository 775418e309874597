"""Calls an ASGI app with a body in chosen pieces, as no client would send it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What an ASGI app answered, and how many pieces of the body it had read by then."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks_read: int

    def json(self) -> Any:
        return json.loads(self.body)


async def post(
    app: ASGIApp,
    path: str,
    headers: Mapping[str, str],
    chunks: Iterator[bytes],
    breaks_off: bool,  # noqa: FBT001
) -> Reply:
    """POST the body in these pieces; `breaks_off` ends it as a lost connection does."""
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
