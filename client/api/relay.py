"""Passes a submission on to the API while it arrives; nothing of it is stored, inspected or named here."""

from collections.abc import AsyncIterator

import httpx2
from pydantic import ValidationError

from client.api.errors import UnexpectedAnswer, Unreachable, refusal
from client.api.exchange import TIMEOUT, UPLOAD_TIMEOUT, problem_of
from client.api.models import Submission


def open_relay(base_url: str) -> httpx2.AsyncClient:
    """A connection pool to one API for relayed requests. The caller closes it."""
    return httpx2.AsyncClient(base_url=base_url, timeout=TIMEOUT, trust_env=False, follow_redirects=False)


async def relay_submission(
    http: httpx2.AsyncClient, token: str, body: AsyncIterator[bytes], *, content_type: str, length: str | None
) -> Submission:
    """Send a multipart form, piece by piece, as the token's user; `length`: its size in bytes, if known.

    Raises:
        Unreachable: no answer came.
        Refused: the platform said no, perhaps before the end of the body.
        UnexpectedAnswer: the answer is not of this API.

    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
    if length is not None:
        headers["Content-Length"] = length
    try:
        response = await http.post("/submissions", content=body, headers=headers, timeout=UPLOAD_TIMEOUT)
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise Unreachable(f"The API cannot be reached ({type(error).__name__}).") from error
    if not response.is_success:
        raise refusal(problem_of(response))
    try:
        return Submission.model_validate_json(response.content)
    except ValidationError as error:
        raise UnexpectedAnswer("The API answered something else than a submission.") from error
