"""Serves a whole board as a file to browsers: asked of the API with the user's token, and passed on as it arrives."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import httpx2
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ui.browser_sessions import BrowserSessions
from ui.markup import Templates
from ui.relay import relayed, told
from ui.run_files import Turns
from ui.session_store import Session

WHAT = "The board cannot be saved"
ASKED = ("benchmark", "metric", "direction", "entries", "category", "by", "cost", "format")
"""Parameters that are passed to the API, which checks them."""
LONGEST = 200


def export_routes(sessions: BrowserSessions, markup: Templates, http: httpx2.AsyncClient) -> APIRouter:
    """The route `/leaderboard/export`; a user's exports follow one another."""
    router, turns = APIRouter(), Turns(1)

    async def held_turn(request: Request) -> AsyncIterator[Session]:
        session = sessions.signed_in(request)
        async with turns.one_of(session.user_id):
            yield session

    @router.get("/leaderboard/export")
    async def export(request: Request, session: Annotated[Session, Depends(held_turn)]) -> Response:
        given = {name: request.query_params.get(name, "")[:LONGEST] for name in ASKED}
        query = urlencode({name: value for name, value in given.items() if value})
        failure = partial(told, markup, request, WHAT)
        address = f"/leaderboard/export?{query}"
        return await relayed(sessions, http, request, token=session.token, address=address, failure=failure)

    return router
