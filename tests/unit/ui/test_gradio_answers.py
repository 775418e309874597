"""Refusals and failures have fixed words and repeat nothing that was sent."""

import httpx2
import pytest

from tests.unit.ui.gradio_calls import MARK
from tests.unit.ui.served import JSON, Served

pytestmark = pytest.mark.unit


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
