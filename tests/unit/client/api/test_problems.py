"""What a refusal says, also where a proxy wrote it."""

import httpx2
import pytest

from client.api.problems import problem_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("nan", None), ("inf", None), ("-inf", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_a_wait_is_a_number_of_seconds(header: str, seconds: float | None) -> None:
    """Nobody waits for a time that is no number, or for ever."""
    assert problem_of(httpx2.Response(429, headers={"retry-after": header})).retry_after == seconds
