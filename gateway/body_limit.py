"""Bodies that are read into memory whole are bounded while they arrive; uploads count for themselves."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: a body over `most` bytes is refused with 413 while it is read, before any token is asked for."""

    def __init__(self, app: ASGIApp, *, most: int, streamed: Collection[str]) -> None:
        self._app = app
        self._most = most
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._streamed:
            receive = self._counted(receive)
        await self._app(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._most:  # FastAPI passes only this kind of exception on
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is over {self._most} bytes.")
            return message

        return counted
