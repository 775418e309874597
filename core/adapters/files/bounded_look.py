"""Checks storage that may hang for ever: in a thread of its own, with a bounded wait for the answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


@dataclass(kw_only=True)
class _Flight(Generic[Seen]):
    """One check in progress."""

    since: float
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(kw_only=True)
class BoundedLook(Generic[Seen]):
    """Lives as long as its process. Only one check runs at a time, for all callers; a hanging one is not repeated."""

    look: Callable[[], Seen]
    """Never raises."""
    patience_seconds: float = 5.0
    fresh_seconds: float = 2.0
    """A last answer younger than this is returned again."""
    clock: Callable[[], float] = time.monotonic
    _at: float = float("-inf")
    _last: Seen | None = None
    _flight: _Flight[Seen] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, *, anew: bool = False) -> None:
        """Start a check, unless one is running, or the last answer is fresh and `anew` is False. Does not wait."""
        with self._lock:
            if self._flight is None and (anew or self.clock() - self._at >= self.fresh_seconds):
                self._flight = _Flight(since=self.clock())
                threading.Thread(target=self._run, args=(self._flight,), daemon=True, name="storage look").start()

    def answer(self) -> Seen | float:
        """The last answer, after waiting for a running check; if that is too slow, for how many seconds it has run."""
        with self._lock:
            flight = self._flight
        if flight is not None:
            flight.done.wait(max(0.0, flight.since + self.patience_seconds - self.clock()))
            if not flight.done.is_set():
                return self.clock() - flight.since
        if self._last is None:
            raise RuntimeError("nothing was looked at yet")
        return self._last

    def _run(self, flight: _Flight[Seen]) -> None:
        seen = self.look()
        with self._lock:
            self._last, self._at, self._flight = seen, self.clock(), None
        flight.done.set()
