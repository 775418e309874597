"""The form's upload goes through to the platform as it comes: nothing kept, opened or named by the browser."""

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.unit.client.fake_platform import SUBMISSION, job, problem
from tests.unit.ui.served import JSON, Served, Visitor

pytestmark = pytest.mark.unit

WRITTEN: list[str] = []
WATCHED = threading.Event()


def _note(event: str, values: tuple[Any, ...]) -> None:
    if WATCHED.is_set() and event == "open" and isinstance(values[1], str) and set(values[1]) & set("wax+"):
        WRITTEN.append(str(values[0]))


sys.addaudithook(_note)  # stays as long as the process: it cannot be taken away


def sent(visitor: Visitor, content: bytes = b"print()", name: str = "main.py", **more: Any) -> httpx2.Response:
    """Send the form's files."""
    form = {"entrypoint": "main.py", "config_file": "config.yaml", "metadata": "{}"}
    return visitor.ask("POST", "/submissions", data=form, files=[("files", (name, content))], **more)


def taken(ui: Served, **more: Any) -> None:
    ui.platform.asked.clear()
    ui.platform.answers("POST", "/submissions", httpx2.Response(201, json=SUBMISSION | more))


def test_what_was_left_out_reaches_the_page(ui: Served) -> None:
    """FLD-1: as text, which the page shows beside the queued job."""
    taken(ui, notes=["One file was left out."])
    assert sent(ui.visitor()).json()["notes"] == ["One file was left out."]


def test_an_upload_arrives_as_it_was_sent_and_touches_no_disk(ui: Served) -> None:
    """The platform gets the form byte for byte, as its user; this process opens no file for it."""
    taken(ui)
    visitor = ui.visitor()
    content = bytes(range(256)) * 8000
    WRITTEN.clear()
    WATCHED.set()
    answer = sent(visitor, content, "../../etc/passwd")
    WATCHED.clear()
    assert (answer.status_code, answer.json()) == (201, {"submission_id": "s1", "notes": []})
    asked = next(one for one in ui.platform.asked if one.url.path == "/submissions")
    assert asked.headers["authorization"] == "Bearer alices-token"
    assert content in asked.content
    assert b'filename="../../etc/passwd"' in asked.content, "the platform decides on names"
    assert "cookie" not in asked.headers
    assert [path for path in WRITTEN if not path.startswith(("/dev/", "/proc/"))] == []


def test_a_job_is_queued_and_told(ui: Served) -> None:
    """The second step queues the job with the form's choices over the overrides, and answers the card to show."""
    ui.platform.answers("GET", "/submissions/s1", SUBMISSION)
    ui.platform.answers("POST", "/jobs", httpx2.Response(202, json=job()))
    wish = {"benchmark": "synthetic", "resource_class": None, "overrides": {"benchmark": "other", "epochs": 3}}
    answer = ui.visitor().ask("POST", "/submissions/s1/jobs", json=wish)
    assert answer.status_code == 200
    assert "Queued as job" in answer.json()["html"]
    assert 'href="/job?id=j1"' in answer.json()["html"]
    body = json.loads(ui.platform.asked[-1].content)
    assert body == {"submission_id": "s1", "config": {"benchmark": "synthetic", "epochs": 3}}


def test_a_refusal_names_every_fault(ui: Served) -> None:
    """What the platform refused comes with all fields at fault, in a box and by name."""
    errors = [{"field": "entrypoint", "rule": "must end in .py"}, {"field": "metadata", "rule": "is <b>no</b> JSON"}]
    ui.platform.answers("POST", "/submissions", problem(422, "invalid_input", "Two faults.", errors=errors))
    answer = sent(ui.visitor())
    assert answer.status_code == 422
    assert answer.json()["faults"] == errors
    assert "must end in .py" in answer.json()["html"]
    assert "<b>" not in answer.json()["html"]


def test_a_refused_job_names_the_forms_own_fields(ui: Served) -> None:
    """FLD-8: what requirements.txt lacks stands at the files, and the class at its choice."""
    errors = [
        {"field": "requirements.txt", "rule": "line 1 asks for 'timm'; the image has no timm"},
        {"field": "config.resource_class", "rule": "Use class medium, which installs packages"},
    ]
    ui.platform.answers("GET", "/submissions/s1", SUBMISSION)
    ui.platform.answers("POST", "/jobs", problem(422, "invalid_input", "Two faults.", errors=errors))
    answer = ui.visitor().ask("POST", "/submissions/s1/jobs", json={})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == ["files", "resource_class"]
    assert "Use class medium" in answer.json()["html"]


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (problem(413, "too_large", "More than 100 MB."), 413, "More than 100 MB"),
        (problem(429, "limit_reached", "Ten an hour.", retry_after="60"), 429, "Ten an hour"),
        (problem(401, "unauthenticated", "No."), 401, "Sign in again"),
        (problem(503, "unavailable", "Away."), 503, "Away"),
        (httpx2.ConnectError("no"), 503, "does not answer"),
        (httpx2.Response(201, json={"not": "a submission"}), 503, "something else"),
    ],
)
def test_why_an_upload_was_refused(ui: Served, failure: Exception | httpx2.Response, status: int, words: str) -> None:
    """Each failure is told in words, also while the body is still coming."""
    ui.platform.answers("POST", "/submissions", failure)
    answer = sent(ui.visitor(), b"x" * 3_000_000)
    assert answer.status_code == status
    assert words in answer.json()["html"]


def test_an_upload_over_the_ceiling_is_refused_by_its_length(ui: Served) -> None:
    """A request that says it has more bytes than any upload may is 413 before the platform hears of it."""
    taken(ui)
    visitor, address = ui.visitor(), urlsplit(ui.url)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    head = f"POST /submissions HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 999999999\r\n\r\n"
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=10) as raw:
        raw.sendall(head.encode())
        assert raw.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert all(asked.url.path != "/submissions" for asked in ui.platform.asked)


def test_a_user_has_few_uploads_at_once(ui: Served) -> None:
    """The fifth upload of a user is 429 while four are under way; another user's is taken."""
    go = threading.Event()

    def held(_asked: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(201, json=SUBMISSION)

    ui.platform.answers("POST", "/submissions", held)

    def slowly() -> Any:
        yield b"--x\r\n"
        go.wait(20)
        yield b"--x--\r\n"

    visitors = [ui.visitor() for _ in range(4)]
    headers = {"content-type": "multipart/form-data; boundary=x"}
    statuses: list[int] = []

    def begin(visitor: Visitor) -> None:
        statuses.append(visitor.ask("POST", "/submissions", content=slowly(), headers=headers).status_code)

    threads = [threading.Thread(target=begin, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    fifth, deadline = 0, 200
    while fifth != 429 and deadline:
        fifth, deadline = sent(ui.visitor()).status_code, deadline - 1
    other = sent(ui.visitor("bobs-token")).status_code
    go.set()
    for thread in threads:
        thread.join(20)
    assert (fifth, other, statuses) == (429, 201, [201] * 4)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}])
@pytest.mark.parametrize("path", ["/submissions", "/submissions/s1/jobs"])
def test_another_site_submits_nothing(ui: Served, path: str, headers: dict[str, str]) -> None:
    """A form or script of another site is refused; so is anybody who has not signed in."""
    ui.platform.asked.clear()
    assert ui.visitor().ask("POST", path, headers=headers | JSON, content=b"{}").status_code == 403
    assert httpx2.post(ui.url + path, content=b"{}", headers=JSON, trust_env=False).status_code == 401
    assert all(not asked.url.path.startswith(("/submissions", "/jobs")) for asked in ui.platform.asked)


def test_no_address_of_the_browsers_reaches_the_platform(ui: Served) -> None:
    """A submission's id is one segment of the address that is called, whatever it holds."""
    ui.platform.asked.clear()
    for path in ("/submissions/..%2f..%2fadmin/jobs", "/submissions/%2e%2e/jobs", "/submissions/a%3fb/jobs"):
        answer = ui.visitor().ask("POST", path, json={})
        assert answer.status_code in {404, 422}, path
    calls = [asked.url.raw_path for asked in ui.platform.asked if asked.url.path != "/auth/me"]
    assert all(call.startswith(b"/submissions/") and call.count(b"/") == 2 for call in calls), calls


def test_gradio_takes_no_upload(ui: Served, tmp_path: Path) -> None:
    """Gradio's own uploads are not there: nobody's file waits where another's event could name it."""
    path = tmp_path / "main.py"
    path.write_text("print()")
    with path.open("rb") as file:
        assert ui.visitor().ask("POST", "/gradio_api/upload", files={"files": file}).status_code == 404
