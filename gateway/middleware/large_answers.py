"""Bounds the bytes of large answers that clients have not received yet, for each user and for all together.

An answer stays in memory until its client has received it, and a client may be slow. The memory for building answers is
bounded elsewhere, by how many are built at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.errors import LimitReached
from gateway.problems import handlers

LARGE = 256 * 1024
"""Larger answers, in bytes, are counted, such as a submission with thousands of files or a full board."""
OF_ONE_USER = 16 * 1024**2
OF_ALL = 64 * 1024**2
PIECE = 64 * 1024
RETRY_SECONDS = 10


class LargeAnswersMiddleware:
    """ASGI middleware. Streams are not counted, since they hold one piece at a time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._of_user: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        begun: list[Message] = []

        async def sending(message: Message) -> None:
            """Hold the status back until the first bytes: until then the answer may become a refusal."""
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            if begun and _is_large(message):
                await self._send_large(scope, receive, send, begun.pop(), message["body"])
                return
            if begun:
                await send(begun.pop())
            await send(message)

        await self._app(scope, receive, sending)

    async def _send_large(self, scope: Scope, receive: Receive, send: Send, begun: Message, body: bytes) -> None:
        try:
            with self._held(str(scope["state"].get("user_id", "")), len(body)):
                await send(begun)
                for at in range(0, len(body), PIECE):  # each send waits until the piece before is received
                    piece = body[at : at + PIECE]
                    await send({"type": "http.response.body", "body": piece, "more_body": at + PIECE < len(body)})
        except LimitReached as error:
            await handlers.refused(Request(scope), error)(scope, receive, send)

    @contextmanager
    def _held(self, user_id: str, size: int) -> Iterator[None]:
        """Count the bytes while the context lasts. Raises LimitReached; a single answer may exceed the limits."""
        if self._of_user[user_id] and self._of_user[user_id] + size > OF_ONE_USER:
            raise _refusal("Large answers to you are still on their way.")
        if self._of_user.total() and self._of_user.total() + size > OF_ALL:
            raise _refusal("Other large answers are still on their way.")
        self._of_user[user_id] += size
        try:
            yield
        finally:
            self._of_user[user_id] -= size
            if not self._of_user[user_id]:
                del self._of_user[user_id]


def _is_large(message: Message) -> bool:
    return not message.get("more_body", False) and len(message.get("body", b"")) > LARGE


def _refusal(sentence: str) -> LimitReached:
    return LimitReached(f"{sentence} Try again when one has arrived.", retry_after_seconds=RETRY_SECONDS)
