"""A page's event takes plain values of its own shape; nothing sent is opened, fetched or repeated."""

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.ui.served import JSON, Served
from ui.gradio_events import LONGEST_TEXT

pytestmark = pytest.mark.unit

MARK = "planted-7d1f03"
OPENED: list[str] = []


def _note(event: str, values: tuple[Any, ...]) -> None:
    if event in {"open", "os.remove", "os.rename", "shutil.copyfile", "os.listdir"} and MARK in str(values[:2]):
        OPENED.append(f"{event} {values[:2]}")


sys.addaudithook(_note)  # stays as long as the process: it cannot be taken away


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file of the server's that nobody may read, and a check that nobody did."""
    path = tmp_path / MARK / "secret.txt"
    path.parent.mkdir()
    path.write_text("the-content-of-the-planted-file")
    OPENED.clear()
    yield path
    assert OPENED == []
    assert path.exists()


@pytest.fixture
def fetched() -> Iterator[list[str]]:
    """A server on this machine that notes what it is asked for; its address is the first entry."""
    asked: list[str] = []

    class Note(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Note)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked.append(f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()
    assert len(asked) == 1, asked


def file_data(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "a.py"}


def hostile(path: str, url: str) -> dict[str, Any]:
    """What a browser might send in place of a plain value, by what it is."""
    return {
        "file": file_data(path),
        "environment": file_data("/proc/self/environ"),
        "file without meta": {"path": path},
        "url": {"path": url + "/x", "url": url + "/x", "meta": {"_type": "gradio.FileData"}},
        "url alone": {"url": url + "/y"},
        "files": [file_data(path)],
        "media": {"video": file_data(path), "subtitles": file_data(path)},
        "nested": [[[{"a": [file_data(path)]}]]],
        "update": {"__type__": "update", "value": file_data(path)},
        "state": {"__type__": "state", "value": MARK},
        "list of texts": [MARK],
        "object": {"value": MARK},
        "true": True,
        "long": MARK * 100,
        "surrogate": "\ud800" + MARK,
        "nul": MARK + "\0",
    }


def plain(ui: Served, fn_index: int) -> list[Any]:
    """Values that an event takes."""
    example = {"Radio": None, "Dropdown": "b", "Textbox": "t", "Number": 0}
    blocks = ui.site.fns[fn_index].inputs
    return [
        block.choices[0][1] if type(block).__name__ == "Radio" else example[type(block).__name__] for block in blocks
    ]


def test_every_input_of_every_event_takes_no_file(ui: Served, secret: Path, fetched: list[str]) -> None:
    """Each input of each event x each hostile value: refused in fixed words, nothing opened, fetched or repeated."""
    visitor, tried = ui.visitor(), 0
    for fn_index, function in ui.site.fns.items():
        for place in range(len(function.inputs)):
            for kind, value in hostile(str(secret), fetched[0]).items():
                data = plain(ui, fn_index)
                data[place] = value
                answer = visitor.join(fn_index, data)
                assert answer.status_code == 422, (fn_index, place, kind)
                tried += 1
    assert tried > 200
    assert MARK not in visitor.seen
    assert "PATH=" not in visitor.seen
    assert visitor.events() == [{"status": 404}], "none of these is even an event"


def test_the_reproduction_of_the_leak(ui: Served, secret: Path) -> None:
    """The very bodies that once gave the server's environment, to every event, by every way of calling one."""
    visitor = ui.visitor()
    for fn_index in [*ui.site.fns, 999]:
        for path in ("/proc/self/environ", str(secret)):
            answer = visitor.ask(
                "POST",
                "/gradio_api/queue/join",
                json={"fn_index": fn_index, "session_hash": "x", "data": [file_data(path), "small"]},
            )
            assert answer.status_code == 422
            for way in ("call", "call/v2", "run", "api"):
                for name in ("submit", "first", "predict", str(fn_index)):
                    sent = {"data": [file_data(path), "small"], "fn_index": fn_index}
                    assert visitor.ask("POST", f"/gradio_api/{way}/{name}", json=sent).status_code == 404
    stream = visitor.ask("GET", "/gradio_api/queue/data?session_hash=x")
    assert stream.status_code == 404
    assert MARK not in visitor.seen
    assert "PATH=" not in visitor.seen
    assert "/tmp/" not in visitor.seen


BODIES = {
    "no object": [],
    "unknown event": {"data": [], "fn_index": 99, "session_hash": "p"},
    "negative event": {"data": [], "fn_index": -1, "session_hash": "p"},
    "true as event": {"data": [], "fn_index": True, "session_hash": "p"},
    "text as event": {"data": [], "fn_index": "0", "session_hash": "p"},
    "no event": {"data": [], "session_hash": "p"},
    "foreign trigger": {"data": [], "fn_index": 0, "trigger_id": 999, "session_hash": "p"},
    "text as trigger": {"data": [], "fn_index": 0, "trigger_id": MARK, "session_hash": "p"},
    "list as trigger": {"data": [], "fn_index": 0, "trigger_id": [], "session_hash": "p"},
    "no page": {"data": [], "fn_index": 0},
    "path as page": {"data": [], "fn_index": 0, "session_hash": f"../{MARK}"},
    "long page": {"data": [], "fn_index": 0, "session_hash": "p" * 65},
    "too many values": {"data": [MARK], "fn_index": 0, "session_hash": "p"},
    "no values": {"fn_index": 0, "session_hash": "p"},
    "values by name": {"data": {"a": MARK}, "fn_index": 0, "session_hash": "p"},
    "a file beside": {"data": [], "fn_index": 0, "session_hash": "p", "event_data": file_data(f"/{MARK}")},
    "another event's id": {"data": [], "fn_index": 0, "session_hash": "p", "event_id": MARK},
    "a token": {"data": [], "fn_index": 0, "session_hash": "p", "oauth_token": MARK},
    "simple": {"data": [], "fn_index": 0, "session_hash": "p", "simple_format": True},
    "batched": {"data": [], "fn_index": 0, "session_hash": "p", "batched": True},
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_call_of_another_shape_is_refused(ui: Served, kind: str) -> None:
    """Unknown events, triggers, pages and fields are refused, and not repeated."""
    visitor = ui.visitor()
    answer = visitor.ask("POST", "/gradio_api/queue/join", content=json.dumps(BODIES[kind]), headers=JSON)
    assert answer.status_code == 422
    assert MARK not in visitor.seen


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{" + b'"a":1,' * 4000 + b'"b":2}', JSON, 413),
        (b"[" * 8000, JSON, 422),
        (b'{"data":[],"fn_index":1e400,"session_hash":"p"}', JSON, 422),
        (b'{"data":[],"fn_index":' + b"9" * 5000 + b',"session_hash":"p"}', JSON, 422),
        (b"planted-7d1f03", JSON, 422),
        (b"\xff\xfe", JSON, 422),
        (b"", JSON, 422),
        (b"data=planted-7d1f03", {"content-type": "application/x-www-form-urlencoded"}, 422),
        (b'{"data":[],"fn_index":0,"session_hash":"p"}', {"content-type": "text/plain"}, 422),
    ],
)
def test_a_body_that_is_none_is_refused(ui: Served, body: bytes, headers: dict[str, str], status: int) -> None:
    """Too long, too deep, no JSON: refused in fixed words, while the server goes on."""
    visitor = ui.visitor()
    assert visitor.ask("POST", "/gradio_api/queue/join", content=body, headers=headers).status_code == status
    assert MARK not in visitor.seen
    assert visitor.join(0, []).status_code == 200


def test_numbers_out_of_bounds_are_refused(ui: Served) -> None:
    """An offset is a number within reason: neither infinite nor a truth value nor a text."""
    fn_index = next(index for index, fn in ui.site.fns.items() if fn.name == "lower")
    visitor = ui.visitor()
    for value in (float("inf"), float("nan"), 1e300, True, "1", None, 10**30):
        assert visitor.join(fn_index, [*plain(ui, fn_index)[:-1], value]).status_code == 422, value


def test_the_pages_own_calls_work(ui: Served) -> None:
    """What our pages send is answered by their events: every one, with its trigger, in the shape that Gradio sends."""
    visitor = ui.visitor()
    for number, (fn_index, function) in enumerate(ui.site.fns.items()):
        trigger = next((block_id for block_id, _ in function.targets), None)
        page = f"works{number}"
        answer = visitor.join(fn_index, plain(ui, fn_index), page, trigger_id=trigger, event_data=None)
        assert answer.status_code == 200, fn_index
        done = next(one for one in visitor.events(page) if one["msg"] == "process_completed")
        assert done["success"], fn_index


def test_a_click_on_a_column_brings_its_name(ui: Served) -> None:
    """The one event with data of its own takes a metric's name, and nothing else."""
    fn_index = next(index for index, fn in ui.site.fns.items() if fn.name == "clicked")
    visitor, data = ui.visitor(), plain(ui, fn_index)
    assert visitor.join(fn_index, data, event_data={"metric": "image_auc"}).status_code == 200
    for wrong in ({"metric": {"path": "/etc/hostname"}}, {"other": "x"}, {"metric": "x" * (LONGEST_TEXT + 1)}, "x", []):
        assert visitor.join(fn_index, data, event_data=wrong).status_code == 422


def test_a_failing_event_says_nothing_of_what_was_sent(ui: Served) -> None:
    """A fault of ours, raised with the input in its words, reaches the page in fixed words."""
    import gradio as gr  # noqa: PLC0415, slow to import

    fn_index = next(index for index, fn in ui.site.fns.items() if fn.name == "cancel")
    function, kept = ui.site.fns[fn_index], ui.site.fns[fn_index].fn
    try:
        for number, error in enumerate((gr.Error(f"no {MARK}"), ValueError(f"no {MARK}"), OSError(f"/tmp/{MARK}"))):

            def fails(*_values: object, error: Exception = error) -> None:
                raise error

            function.fn = fails
            visitor = ui.visitor()
            visitor.join(fn_index, ["t"], f"fails{number}")
            done = next(one for one in visitor.events(f"fails{number}") if one["msg"] == "process_completed")
            assert not done["success"]
            assert "could not do this" in done["output"]["error"]
            assert MARK not in visitor.seen
    finally:
        function.fn = kept


def test_a_full_queue_is_told_in_words(ui: Served) -> None:
    """When Gradio takes no more events its answer has words of ours, too."""
    queue = ui.site._queue
    kept, queue.max_size = queue.max_size, 0
    try:
        answer = ui.visitor().join(0, [])
    finally:
        queue.max_size = kept
    assert answer.status_code == 503
    assert "wait a moment" in answer.json()["detail"]


def test_other_routes_repeat_nothing_either(ui: Served) -> None:
    """A request of ours with a wrong field is refused without its value."""
    visitor = ui.visitor()
    answers = [
        visitor.ask("GET", f"/jobs/x/log-events?offset={MARK}"),
        visitor.ask("POST", "/submissions/x/jobs", json={"overrides": MARK}),
        visitor.ask("POST", "/submissions/x/jobs", json={MARK: MARK}),
        visitor.ask("POST", "/submissions/x/jobs", content=MARK, headers=JSON),
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert MARK not in visitor.seen


def test_a_large_form_is_refused_before_it_is_kept(ui: Served) -> None:
    """Also before signing in: a form of more than 64 KB is 413."""
    form = b"token=" + b"x" * 100_000
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert httpx2.post(f"{ui.url}/login", content=form, headers=headers, trust_env=False).status_code == 413
