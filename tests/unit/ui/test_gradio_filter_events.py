"""A page's event takes no path, address or object: nothing sent is opened, fetched or repeated."""

import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ui.gradio_calls import MARK, file_data, plain
from tests.unit.ui.served import Served

pytestmark = pytest.mark.unit

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


@pytest.mark.slow
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


@pytest.mark.slow
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
