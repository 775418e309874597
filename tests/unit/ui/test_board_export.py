"""A board as a file in the browser: asked of the API as the user, with the parameters of the page."""

import httpx2
import pytest

from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import Front

pytestmark = pytest.mark.unit

PATH = "/leaderboard/export"


def test_the_file_comes_as_the_api_sends_it(front: Front, platform: Platform) -> None:
    """With the parameters that the API knows and no other, and its headers of a download."""
    front.sign_in()
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="a.csv"'}
    platform.answers("GET", PATH, httpx2.Response(200, content=b"rank\n1\n", headers=headers))
    answer = front.browser.get(PATH, params={"metric": "a&b=c", "entries": "all", "format": "csv", "token": "x"})
    assert (answer.status_code, answer.content) == (200, b"rank\n1\n")
    assert answer.headers["content-disposition"] == 'attachment; filename="a.csv"'
    asked = platform.asked[-1]
    assert dict(asked.url.params) == {"metric": "a&b=c", "entries": "all", "format": "csv"}
    assert asked.headers["authorization"] == "Bearer alices-token"


def test_a_refusal_is_told_in_words(front: Front, platform: Platform) -> None:
    assert front.browser.get(PATH).status_code == 401
    front.sign_in()
    platform.answers("GET", PATH, problem(422, "invalid_input", "metric: must be one of <a>."))
    page = front.browser.get(PATH, headers={"accept": "text/html"})
    assert (page.status_code, "must be one of &lt;a&gt;" in page.text) == (422, True)
