"""A call of an event has one shape: a declared event, plain values of its own, and nothing besides."""

import json

import pytest

from tests.unit.ui.gradio_calls import MARK, file_data, plain
from tests.unit.ui.served import JSON, Served
from ui.gradio_events import LONGEST_TEXT

pytestmark = pytest.mark.unit

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


@pytest.mark.slow
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
