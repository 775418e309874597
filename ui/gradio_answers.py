"""Removes the messages from Gradio's refusals and failures: they could repeat what was sent."""

import json
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Scope, Send

FAILED = "The platform could not do this. Reload the page and try again; if it stays, tell an administrator."
FAILURE = b'"success":false'
"""Marks a failure in an event's JSON, which Gradio writes without spaces. Inside a text the quotes would be escaped."""


async def answered(app: ASGIApp, scope: Scope, body: bytes) -> bytes | None:
    """The body of the application's answer to a request with this body; None unless the status is 200."""
    pieces: list[bytes] = []
    status = 0
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            await anyio.sleep_forever()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(pieces) if status == 200 else None  # noqa: PLR2004


def without_words(send: Send) -> Send:
    """Wrap `send` of an event stream: every failure gets the same message."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body" and FAILURE in message.get("body", b""):
            message = {**message, "body": _without_message(message["body"])}
        await send(message)

    return sending


def _without_message(event: bytes) -> bytes:
    sent: dict[str, Any] = json.loads(event.removeprefix(b"data: "))
    kept: dict[str, Any] = {
        name: sent.get(name) for name in ("msg", "event_id", "success", "session_not_found") if name in sent
    }
    if sent.get("msg") == "process_completed":
        kept |= {"output": {"error": FAILED, "visible": True, "duration": 10, "title": "Error"}, "title": "Error"}
    else:
        kept |= {"message": FAILED}
    return b"data: " + json.dumps(kept).encode() + b"\n\n"
