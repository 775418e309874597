"""Event streams belong to the login session that began them, and one user's pages crowd out nobody else's."""

import threading

import pytest

from tests.unit.ui.served import Served
from ui.gradio_filter import MOST_EVENTS
from ui.open_pages import OpenPages, TooManyPages, name_of
from ui.session_store import Session

pytestmark = pytest.mark.unit


def session(user: str = "alice") -> Session:
    return Session(user_id=user, is_admin=False, token="t", expires_at=0)


def test_another_session_reads_no_event_stream(ui: Served) -> None:
    """The name that a browser gives its page opens the stream in its own session alone, not in another of the user."""
    owner = ui.visitor()
    assert owner.join(0, [], "shared").status_code == 200
    for other in (ui.visitor("bobs-token"), ui.visitor("alices-token")):
        assert other.events("shared") == [{"status": 404}]
        name = next(iter(ui.site._queue.pending_messages_per_session))
        assert other.events(name) == [{"status": 404}], "Gradio's own name for a page opens nothing"
    assert owner.events("shared")[-1]["msg"] == "close_stream"


def test_two_sessions_may_call_their_pages_the_same(ui: Served) -> None:
    """Two people whose browsers chose the same name get each their own answers: header and all."""
    alice, bob = ui.visitor(), ui.visitor("bobs-token")
    for visitor in (alice, bob):
        assert visitor.join(0, [], "same").status_code == 200
    for visitor in (alice, bob):
        visitor.events("same")
    assert ">alice" in alice.seen
    assert ">bob" not in alice.seen
    assert ">bob" in bob.seen
    assert ">alice" not in bob.seen


def test_after_signing_out_there_is_no_stream(ui: Served) -> None:
    """The session's end is the end of its pages; signing in again begins others."""
    visitor = ui.visitor()
    visitor.join(0, [], "mine")
    visitor.http.post("/logout")
    assert visitor.events("mine") == [{"status": 401}]
    visitor.http.post("/login", data={"token": "alices-token"})
    assert visitor.events("mine") == [{"status": 404}]


def test_nobody_ends_or_resets_anothers_event(ui: Served) -> None:
    """Ways to cancel, reset, beat or stream an event by its hash are not there at all."""
    owner, other = ui.visitor(), ui.visitor("bobs-token")
    event_id = owner.join(0, [], "busy").json()["event_id"]
    body = {"session_hash": "busy", "fn_index": 0, "event_id": event_id}
    for path in ("cancel", "reset", f"stream/{event_id}", f"stream/{event_id}/close", "component_server"):
        assert other.ask("POST", f"/gradio_api/{path}", json=body).status_code == 404
    for path in ("heartbeat/busy", f"call/first/{event_id}", f"call/v2/first/{event_id}", "queue/status"):
        assert other.ask("GET", f"/gradio_api/{path}").status_code == 404
    assert owner.events("busy")[-1]["msg"] == "close_stream"


@pytest.mark.parametrize("key", ["", "a/b", "..", "a%00b", "x" * 65, "ü"])
def test_a_page_has_a_simple_name(ui: Served, key: str) -> None:
    """A stream of any other name is not there."""
    assert ui.visitor().events(key) == [{"status": 404}]


def test_one_user_cannot_fill_the_queue(ui: Served) -> None:
    """With its events held up a user gets so many and no more, while another's still run."""
    fn_index = next(index for index, fn in ui.site.fns.items() if fn.name == "newest")
    function, kept, go = ui.site.fns[fn_index], ui.site.fns[fn_index].fn, threading.Event()
    function.fn = lambda *_values: go.wait(20)
    visitor = ui.visitor()
    try:
        statuses = [visitor.join(fn_index, [""], f"fill{number}").status_code for number in range(MOST_EVENTS + 5)]
        other = ui.visitor("bobs-token")
        assert other.join(0, [], "calm").status_code == 200
        assert other.events("calm")[-1]["msg"] == "close_stream"
    finally:
        go.set()
        function.fn = kept
    assert statuses == [200] * MOST_EVENTS + [429] * 5


@pytest.mark.slow
def test_of_old_pages_nothing_is_kept(ui: Served) -> None:
    """However many pages a user opens, Gradio keeps something for the newest few."""
    visitor = ui.visitor("bobs-token")
    for number in range(60):
        visitor.join(0, [], f"old{number}")
        visitor.events(f"old{number}")
    assert visitor.events("old0") == [{"status": 404}]
    assert visitor.join(0, [], "old0").status_code == 200, "such a page is as new when it calls again"
    queue = ui.site._queue
    assert len(queue.pending_messages_per_session) < 150
    assert len(queue.pending_event_ids_session) < 150
    assert len(ui.gradio_app.state_holder.session_data) < 150


def test_names_are_of_a_session() -> None:
    """The same words of two sessions are two names, and always the same of one."""
    one, two = session(), session()
    assert name_of(one, "p") == name_of(one, "p")
    assert len({name_of(one, "p"), name_of(two, "p"), name_of(one, "q")}) == 3


def test_the_oldest_page_of_the_user_goes() -> None:
    """A user's page too many drops that user's oldest, and nobody else's; one that streams stays."""
    dropped: list[str] = []
    pages = OpenPages(dropped.append, most_per_user=2, most=10)
    alice, bob = session(), session("bob")
    pages.opened(bob, "b")
    first = pages.opened(alice, "1")
    second = pages.opened(alice, "2")
    with pages.streaming(alice, "1") as name:
        assert name == first
        pages.opened(alice, "3")
        assert dropped == [second]
        with pages.streaming(alice, "3"), pytest.raises(TooManyPages):
            pages.opened(alice, "4")
    with pages.streaming(bob, "b") as name:
        assert name is not None
    with pages.streaming(alice, "2") as name:
        assert name is None


def test_all_pages_together_are_bounded() -> None:
    """When there are too many in all, the user with the most loses one."""
    dropped: list[str] = []
    pages = OpenPages(dropped.append, most_per_user=10, most=4)
    alice = session()
    names = [pages.opened(alice, str(number)) for number in range(3)]
    pages.opened(session("bob"), "b")
    pages.opened(session("cora"), "c")
    assert dropped == names[:1]
