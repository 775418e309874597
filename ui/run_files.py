"""Serves the files of runs to browsers: each is asked of the API with the user's token, and passed on as it arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote
from weakref import WeakValueDictionary

import httpx2
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from client.api.models import Results
from ui.browser_sessions import BrowserSessions
from ui.markup import Templates
from ui.relay import Failure, relayed, told
from ui.session_store import Session

OF_ONE_USER = 3
"""Files of one user under way at once: fewer than the API allows, so that a page of pictures shows all of them."""
MOST_PICTURES = 24
SHOWN = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
"""Files that the API lets a browser show as pictures."""
WHAT = "This file cannot be shown"
MISSING = "There is no such file. The job's page lists those that there are."


def pictures_of(results: Results) -> list[str]:
    """The paths of the first pictures that a browser can show: the list has curves first, then maps."""
    if not results.artifacts_available:
        return []
    return [file.path for file in results.artifacts if PurePosixPath(file.path.lower()).suffix in SHOWN][:MOST_PICTURES]


class Turns:
    """Lets so many calls of one user pass at once, and the others wait. Used only on the application's event loop."""

    def __init__(self, of_one_user: int) -> None:
        self._of_one_user = of_one_user
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def one_of(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a turn of this user, and hold it while the context lasts."""
        turn = self._turns.get(user_id)
        if turn is None:
            turn = self._turns[user_id] = asyncio.Semaphore(self._of_one_user)
        async with turn:
            yield


def file_routes(sessions: BrowserSessions, markup: Templates, http: httpx2.AsyncClient) -> APIRouter:
    """The route `/jobs/{job_id}/files/{path}`."""
    router, turns = APIRouter(), Turns(OF_ONE_USER)

    def failure(request: Request) -> Failure:
        return partial(told, markup, request, WHAT)

    async def held_turn(request: Request) -> AsyncIterator[Session]:
        """The caller's session; its turn ends after the answer's last byte, or when the browser disconnects."""
        session = sessions.signed_in(request)
        async with turns.one_of(session.user_id):
            yield session

    @router.get("/jobs/{job_id}/files/{path:path}")
    async def run_file(
        request: Request, job_id: str, path: str, session: Annotated[Session, Depends(held_turn)]
    ) -> Response:
        if any(part in {"", ".", ".."} for part in (job_id, *path.split("/"))):
            return failure(request)(MISSING, 404)
        address = f"/jobs/{quote(job_id, safe='')}/artifacts/{quote(path)}"
        return await relayed(sessions, http, request, token=session.token, address=address, failure=failure(request))

    return router
