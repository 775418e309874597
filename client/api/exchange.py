"""Sends requests and checks their answers; every foreign exception becomes one of ours."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from client.api.errors import NotFound, NotSignedIn, Problem, UnexpectedAnswer, Unreachable, refusal
from client.api.problems import problem_of

AnswerT = TypeVar("AnswerT", bound=BaseModel)
Event = httpx2.ServerSentEvent

TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
DOWNLOAD_TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
STREAM_TIMEOUT = httpx2.Timeout(30.0, connect=5.0, read=45.0)  # an idle stream has a comment every 15 s
PIECE = 256 * 1024
UPLOAD_TIMEOUT = httpx2.Timeout(120.0, connect=5.0)  # before it answers, the platform may unpack 1 GB on a slow disk
TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # what a header can carry
FAILURES = (httpx2.RequestError, httpx2.InvalidURL)


def open_http(base_url: str, *, use_proxies: bool = True) -> httpx2.Client:
    """A connection pool to one API; may be shared between threads. The caller closes it."""
    return httpx2.Client(base_url=base_url, timeout=TIMEOUT, trust_env=use_proxies, follow_redirects=False)


def open_async_http(base_url: str, *, use_proxies: bool = True) -> httpx2.AsyncClient:
    """A connection pool to one API without a limit: the caller bounds what is under way, and closes the pool."""
    return httpx2.AsyncClient(
        base_url=base_url,
        timeout=TIMEOUT,
        trust_env=use_proxies,
        follow_redirects=False,
        limits=httpx2.Limits(max_keepalive_connections=20),
    )


class Exchange:
    """Requests of one user, or without a token of none, over a connection pool that the caller owns."""

    def __init__(self, http: httpx2.Client, token: str | None) -> None:
        self._http = http
        self._token = token

    def ask(self, kind: type[AnswerT], method: str, path: str, **request: Any) -> AnswerT:
        """Send a request and read its answer as `kind`.

        Raises:
            Unreachable: no answer came.
            Refused: the platform said no (one class per status).
            UnexpectedAnswer: the answer is not of this API.

        """
        return _read(kind, self._accepted(method, path, request))

    def send(self, method: str, path: str, **request: Any) -> None:
        """Send a request and ignore the answer's content. Raises Unreachable, Refused."""
        self._accepted(method, path, request)

    @contextmanager
    def download(self, path: str, *, params: Mapping[str, Any] | None = None) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer, in pieces, while the context lasts. Raises what `ask` raises, also between pieces."""
        headers = _authorization(self._token)
        try:
            with self._http.stream("GET", path, params=params, headers=headers, timeout=DOWNLOAD_TIMEOUT) as response:
                if not response.is_success:
                    response.read()
                yield _accepted(response).iter_bytes(PIECE)
        except FAILURES as error:
            raise _broken(error, self._http, path) from error

    def _accepted(self, method: str, path: str, request: Mapping[str, Any]) -> httpx2.Response:
        whole = {**request, "headers": {**_authorization(self._token), **request.get("headers", {})}}
        try:
            return _accepted(self._http.request(method, path, **whole))
        except FAILURES as error:
            raise _unreachable(error, self._http, path) from error


class AsyncExchange:
    """The same for asynchronous code."""

    def __init__(self, http: httpx2.AsyncClient, token: str) -> None:
        self._http = http
        self._token = token

    async def ask(self, kind: type[AnswerT], method: str, path: str, **request: Any) -> AnswerT:
        """Send a request and read its answer as `kind`. Raises what `Exchange.ask` raises."""
        whole = {**request, "headers": {**_authorization(self._token), **request.get("headers", {})}}
        try:
            return _read(kind, _accepted(await self._http.request(method, path, **whole)))
        except FAILURES as error:
            raise _unreachable(error, self._http, path) from error

    @asynccontextmanager
    async def listen(self, path: str, **request: Any) -> AsyncIterator[AsyncIterator[Event]]:
        """The server-sent events of an answer while the context lasts. Raises what `ask` raises, also between them."""
        headers = _authorization(self._token)
        try:
            async with self._http.sse(path, headers=headers, timeout=STREAM_TIMEOUT, **request) as source:
                if not source.response.is_success:
                    await source.response.aread()
                _accepted(source.response)
                async with aclosing(cast("AsyncGenerator[Event]", aiter(source))) as events:
                    yield events
        except httpx2.SSEError as error:
            raise UnexpectedAnswer(f"{_where(self._http, path)} answered something else than events.") from error
        except FAILURES as error:
            raise _broken(error, self._http, path) from error


def segment(identifier: str) -> str:
    """An id as one part of a path. Raises NotFound for one that would name another endpoint."""
    if identifier in {"", ".", ".."}:
        raise NotFound(Problem(status=404, code="not_found", detail="There is nothing with that id."))
    return quote(identifier, safe="")


def _authorization(token: str | None) -> dict[str, str]:
    if token is None:
        return {}
    if not TOKEN.fullmatch(token):
        raise NotSignedIn(Problem(status=401, code="bad_token", detail="This is not an access token."))
    return {"Authorization": f"Bearer {token}"}


def _accepted(response: httpx2.Response) -> httpx2.Response:
    if not response.is_success:
        raise refusal(problem_of(response))
    return response


def _read(kind: type[AnswerT], response: httpx2.Response) -> AnswerT:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        where = str(response.request.url.copy_with(query=None))
        raise UnexpectedAnswer(f"The API at {where} answered something else than a {kind.__name__}.") from error


def _unreachable(error: Exception, http: httpx2.Client | httpx2.AsyncClient, path: str) -> Unreachable:
    where = _where(http, path)
    if isinstance(error, httpx2.TimeoutException):
        return Unreachable(f"{where} did not answer in time.")
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return Unreachable(f"{where} is not an address that can be called.")
    return Unreachable(f"{where} cannot be reached ({type(error).__name__}).")


def _broken(error: Exception, http: httpx2.Client | httpx2.AsyncClient, path: str) -> Unreachable:
    return Unreachable(f"{_where(http, path)} broke off ({type(error).__name__}).")


def _where(http: httpx2.Client | httpx2.AsyncClient, path: str) -> str:
    return f"The API at {str(http.base_url).rstrip('/')}{path}"
