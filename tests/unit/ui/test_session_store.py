"""Sessions: bounded, ending, and impossible to make up."""

import pytest

from ui.session_store import COOKIE, MOST_PER_USER, SECURE_COOKIE, SessionCookie, SessionStore

pytestmark = pytest.mark.unit


def opened(store: SessionStore, name: str) -> str:
    return store.open(user_id=name, is_admin=False, token=f"token-of-{name}")


def test_a_session_ends_with_its_time() -> None:
    """After its lifetime a session is gone, also from memory."""
    now = [0.0]
    store = SessionStore(lifetime=10, most=5, clock=lambda: now[0])
    session_id = opened(store, "alice")
    now[0] = 9.9
    assert store.get(session_id) is not None
    now[0] = 10.0
    assert store.get(session_id) is None
    now[0] = 0.0
    assert store.get(session_id) is None


def test_the_store_is_bounded() -> None:
    """One session more than fits drops the oldest."""
    store = SessionStore(lifetime=10, most=2)
    first, second, third = (opened(store, name) for name in ("a", "b", "c"))
    assert store.get(first) is None
    assert store.get(second) is not None
    assert store.get(third) is not None


def test_signing_in_over_and_over_drops_nobody_elses_session() -> None:
    """A user's session too many drops that user's oldest, while others stay."""
    store = SessionStore(lifetime=10, most=MOST_PER_USER + 5)
    bob = opened(store, "bob")
    ids = [opened(store, "alice") for _ in range(MOST_PER_USER * 2)]
    assert store.get(bob) is not None
    assert [store.get(one) is not None for one in ids] == [False] * MOST_PER_USER + [True] * MOST_PER_USER


def test_a_session_ends_no_later_than_its_token() -> None:
    """A token that was made for the session bounds it; a lifetime shorter than the token's stays."""
    now = [0.0]
    store = SessionStore(lifetime=10, most=5, clock=lambda: now[0])
    bounded = store.open(user_id="a", is_admin=False, token="t", lasts=3)
    longer = store.open(user_id="a", is_admin=False, token="t", lasts=30)
    now[0] = 3.0
    assert store.get(bounded) is None
    now[0] = 9.9
    assert store.get(longer) is not None
    now[0] = 10.0
    assert store.get(longer) is None


def test_whoever_is_dropped_or_closed_is_told_of() -> None:
    """Each session that ends before its time is named once, so that its token can be ended, too."""
    ended: list[str] = []
    store = SessionStore(lifetime=10, most=2, on_end=lambda session: ended.append(session.user_id))
    ids = [opened(store, name) for name in ("a", "b", "c")]
    assert ended == ["a"]
    for session_id in ids:
        store.close(session_id)
    assert ended == ["a", "b", "c"]
    opened(store, "d")
    store.close_all()
    store.close_all()
    assert ended == ["a", "b", "c", "d"]


def test_closing_forgets_the_token() -> None:
    """After signing out the id is worth nothing."""
    store = SessionStore(lifetime=10, most=2)
    session_id = opened(store, "alice")
    store.close(session_id)
    store.close(session_id)
    assert store.get(session_id) is None


def test_the_cookie_holds_no_token() -> None:
    """Neither the token nor the user's name is in what the browser keeps, and a session does not show its token."""
    store = SessionStore(lifetime=10, most=2)
    session_id = opened(store, "alice")
    sealed = SessionCookie("x" * 32).seal(session_id)
    assert "alice" not in sealed
    assert "token-of" not in repr(store.get(session_id))


@pytest.mark.parametrize("value", ["", "made-up", "made-up.signature", "ü.ü", "a" * 10_000])
def test_a_made_up_cookie_is_nobody(value: str) -> None:
    """Only what this secret signed is a session id."""
    assert SessionCookie("x" * 32).unseal({COOKIE: value}, secure=False) is None
    assert SessionCookie("x" * 32).unseal({}, secure=False) is None


def test_another_secret_signs_otherwise() -> None:
    """A cookie of another installation is refused."""
    sealed = SessionCookie("y" * 32).seal("id")
    assert SessionCookie("x" * 32).unseal({COOKIE: sealed}, secure=False) is None
    assert SessionCookie("y" * 32).unseal({COOKIE: sealed}, secure=False) == "id"


def test_each_scheme_has_its_own_cookie() -> None:
    """Over https the name that another host could have set counts for nothing, and the other way round."""
    cookie = SessionCookie("x" * 32)
    sealed = cookie.seal("id")
    assert cookie.unseal({SECURE_COOKIE: sealed}, secure=True) == "id"
    assert cookie.unseal({COOKIE: sealed}, secure=True) is None
    assert cookie.unseal({SECURE_COOKIE: sealed}, secure=False) is None
