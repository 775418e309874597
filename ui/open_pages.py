"""Tracks the pages that signed-in browsers have open. Each page's name for Gradio is bound to its login session."""

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ui.session_store import Session

MOST_PER_USER = 40
MOST = 1900  # below the 2,000 message queues that Gradio keeps


class TooManyPages(Exception):
    """Raised when a page would have to be dropped and all remembered pages of the user have an open event stream."""


class OpenPages:
    """The newest `MOST_PER_USER` pages of each user and `MOST` in all; lives as long as the process. Thread-safe.

    A page's name is an HMAC of the browser's id for it under the session's key. So two sessions never share a name,
    whatever they send, and no session can name another one's page.
    """

    def __init__(self, on_drop: Callable[[str], None], *, most_per_user: int = MOST_PER_USER, most: int = MOST) -> None:
        """`on_drop` is called with the name of each dropped page."""
        self._on_drop = on_drop
        self._most_per_user = most_per_user
        self._most = most
        self._streams: dict[str, OrderedDict[str, int]] = {}
        self._lock = threading.Lock()

    def opened(self, session: Session, page_key: str) -> str:
        """Remember a page that calls an event. Returns its name. Raises TooManyPages."""
        name = name_of(session, page_key)
        with self._lock:
            dropped = None
            if name not in self._streams.get(session.user_id, ()):
                dropped = self._drop_if_full(session.user_id)
            pages = self._streams.setdefault(session.user_id, OrderedDict())
            pages[name] = pages.pop(name, 0)
        if dropped:
            self._on_drop(dropped)
        return name

    @contextmanager
    def streaming(self, session: Session, page_key: str) -> Iterator[str | None]:
        """Count an open event stream of a page. Yields its name; None if the session called no event on it."""
        name = name_of(session, page_key)
        if not self._count(session.user_id, name, 1):
            yield None
            return
        try:
            yield name
        finally:
            self._count(session.user_id, name, -1)

    def _count(self, user_id: str, name: str, step: int) -> bool:
        with self._lock:
            pages = self._streams.get(user_id, OrderedDict())
            if name in pages:
                pages[name] += step
            return name in pages

    def _drop_if_full(self, user_id: str) -> str | None:
        """Drop a page if there are too many: of this user, or of the user with the most. Returns its name."""
        if len(self._streams.get(user_id, ())) >= self._most_per_user:
            return self._oldest_idle(user_id)
        if sum(map(len, self._streams.values())) >= self._most:
            return self._oldest_idle(max(self._streams, key=lambda user: len(self._streams[user])))
        return None

    def _oldest_idle(self, user_id: str) -> str:
        pages = self._streams[user_id]
        name = next((one for one, streams in pages.items() if streams <= 0), None)
        if name is None:
            raise TooManyPages
        del pages[name]
        if not pages:
            del self._streams[user_id]
        return name


def name_of(session: Session, page_key: str) -> str:
    """A page's name for Gradio."""
    return hmac.new(session.key, page_key.encode(), hashlib.sha256).hexdigest()
