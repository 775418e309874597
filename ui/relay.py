"""Passes an answer of the API on to a browser as it arrives: content and a few headers, nothing else of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import quote

import httpx2
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from client.api.problems import problem_of
from ui.browser_sessions import BrowserSessions
from ui.markup import Templates
from ui.session_guard import wanted

WHOLE = 1024 * 1024
"""Answers of up to so many bytes are sent in one piece."""
KEPT = (
    "content-type",
    "content-length",
    "content-disposition",
    "content-security-policy",
    "x-frame-options",
    "cache-control",
    "retry-after",
)
"""Headers of the API's answer that are passed to the browser."""
TRIES = 8
PAUSE_SECONDS = 0.5
AWAY = "The platform does not answer at the moment. Try again in a minute."

Failure = Callable[[str, int], Response]
"""Makes the answer for a failure, from words and a status."""


async def relayed(
    sessions: BrowserSessions,
    http: httpx2.AsyncClient,
    request: Request,
    *,
    token: str,
    address: str,
    failure: Failure,
) -> Response:
    """The API's answer at this address, asked with the user's token; a refusal is told in the API's own words."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    try:
        answer = await _asked(http, address, headers)
        if answer.is_client_error and answer.status_code != httpx2.codes.UNAUTHORIZED:
            await answer.aread()
            return failure(problem_of(answer).detail, answer.status_code)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return failure(AWAY, 503)
    return await passed_on_answer(sessions, request, answer, away=lambda: failure(AWAY, 503))


def told(markup: Templates, request: Request, what: str, words: str, status: int) -> Response:
    """A failure as a page where a browser asks for one, else as JSON."""
    headers = {"Cache-Control": "no-store"}
    if is_page(request):
        return HTMLResponse(markup.fill("away", what=what, words=words), status, headers)
    return JSONResponse({"detail": words}, status, headers)


async def _asked(http: httpx2.AsyncClient, address: str, headers: Mapping[str, str]) -> httpx2.Response:
    """The API's answer; asked again for a moment while too many files are being sent to everybody."""
    for left in reversed(range(TRIES)):
        answer = await http.send(http.build_request("GET", address, headers=headers), stream=True)
        if answer.status_code != httpx2.codes.TOO_MANY_REQUESTS or not left:
            break
        await answer.aclose()
        await asyncio.sleep(PAUSE_SECONDS)
    return answer


async def passed_on_answer(
    sessions: BrowserSessions, request: Request, answer: httpx2.Response, *, away: Callable[[], Response]
) -> Response:
    """The answer for the browser; `away` makes the one for an API that fails. A session that is over is ended."""
    is_over = answer.status_code == httpx2.codes.UNAUTHORIZED
    if is_over or (answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR and is_page(request)):
        await answer.aclose()
        return await _over(sessions, request) if is_over else away()
    headers = {name: answer.headers[name] for name in KEPT if name in answer.headers}
    size = answer.headers.get("content-length", "")
    if size.isdigit() and int(size) <= WHOLE:
        return await _whole(answer, headers, away)
    return StreamingResponse(_pieces(answer), answer.status_code, headers)


def is_page(request: Request) -> bool:
    """Whether a browser asks for a page, so that errors must be HTML."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


async def _whole(answer: httpx2.Response, headers: Mapping[str, str], away: Callable[[], Response]) -> Response:
    try:
        content = await answer.aread()
    except httpx2.HTTPError:
        return away()
    finally:
        await answer.aclose()
    return Response(content, answer.status_code, headers)


async def _pieces(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


async def _over(sessions: BrowserSessions, request: Request) -> Response:
    """End the session, whose token is no longer valid, and ask the user to sign in."""
    await run_in_threadpool(sessions.sign_out, request)
    if is_page(request):
        return RedirectResponse(f"/login?next={quote(wanted(request), safe='')}", 303)
    return JSONResponse({"detail": "Your session has ended. Reload the page to sign in again."}, 401)
