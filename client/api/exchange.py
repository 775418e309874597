"""Sends one request and checks its answer; every foreign exception becomes one of ours."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from client.api.errors import FieldFault, NotSignedIn, Problem, UnexpectedAnswer, Unreachable, refusal

AnswerT = TypeVar("AnswerT", bound=BaseModel)

TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
DOWNLOAD_TIMEOUT = httpx2.Timeout(60.0, connect=5.0)
PIECE = 256 * 1024
UPLOAD_TIMEOUT = httpx2.Timeout(120.0, connect=5.0)  # before it answers, the platform may unpack 1 GB on a slow disk
LONGEST_WORDS = 2000
TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # what a header can carry


def open_http(base_url: str, *, use_proxies: bool = True) -> httpx2.Client:
    """A connection pool to one API; may be shared between threads. The caller closes it."""
    return httpx2.Client(base_url=base_url, timeout=TIMEOUT, trust_env=use_proxies, follow_redirects=False)


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
        response = self._accepted(method, path, request)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise UnexpectedAnswer(f"{self._where(path)} answered something else than a {kind.__name__}.") from error

    def tell(self, method: str, path: str, **request: Any) -> None:
        """Send a request and ignore the answer's content. Raises Unreachable, Refused."""
        self._accepted(method, path, request)

    def _accepted(self, method: str, path: str, request: Mapping[str, Any]) -> httpx2.Response:
        response = self._send(method, path, request)
        if not response.is_success:
            raise refusal(problem_of(response))
        return response

    def _headers(self) -> dict[str, str]:
        if self._token is None:
            return {}
        if not TOKEN.fullmatch(self._token):
            raise NotSignedIn(Problem(status=401, code="bad_token", detail="This is not an access token."))
        return {"Authorization": f"Bearer {self._token}"}

    @contextmanager
    def download(self, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer, in pieces, while the context lasts. Raises what `ask` raises, also between pieces."""
        try:
            with self._http.stream("GET", path, headers=self._headers(), timeout=DOWNLOAD_TIMEOUT) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(problem_of(response))
                yield response.iter_bytes(PIECE)
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise Unreachable(f"{self._where(path)} broke off ({type(error).__name__}).") from error

    def _send(self, method: str, path: str, request: Mapping[str, Any]) -> httpx2.Response:
        headers = {**self._headers(), **request.get("headers", {})}
        try:
            return self._http.request(method, path, **{**request, "headers": headers})
        except httpx2.TimeoutException as error:
            raise Unreachable(f"{self._where(path)} did not answer in time.") from error
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise Unreachable(f"{self._where(path)} is not an address that can be called.") from error
        except httpx2.RequestError as error:
            raise Unreachable(f"{self._where(path)} cannot be reached ({type(error).__name__}).") from error

    def _where(self, path: str) -> str:
        return f"The API at {str(self._http.base_url).rstrip('/')}{path}"


def problem_of(response: httpx2.Response) -> Problem:
    """The problem in a refusal, also if a proxy answered without a problem document."""
    body = _json_object(response)
    detail = str(body.get("detail") or body.get("title") or f"The API answered with status {response.status_code}.")
    return Problem(
        status=response.status_code,
        code=str(body.get("code") or f"http_{response.status_code}"),
        detail=detail[:LONGEST_WORDS],
        request_id=str(body["request_id"]) if body.get("request_id") else response.headers.get("x-request-id"),
        faults=_faults(body.get("errors")),
        retry_after=_seconds(response.headers.get("retry-after")),
    )


def _json_object(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _faults(listed: object) -> tuple[FieldFault, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(
        FieldFault(field=str(item.get("field", "")), rule=str(item.get("rule", "")))
        for item in listed
        if isinstance(item, dict)
    )


def _seconds(header: str | None) -> float | None:
    try:
        return float(header) if header else None
    except ValueError:
        return None
