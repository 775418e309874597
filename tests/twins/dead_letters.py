"""Failed steps in memory: the twin of RedisDeadLetters for tests, held to the same contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.domain.dead_letter import MOST_KEPT, DeadLetter, Failure
from core.domain.errors import NotFound
from core.ports.dead_letters import LetterPage


@dataclass
class MemoryDeadLetters:
    """DeadLettersPort for one process; `clock` answers seconds since 1970."""

    clock: Callable[[], float] = time.time
    _letters: dict[str, DeadLetter] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, failure: Failure) -> DeadLetter:
        with self._lock:
            now = datetime.fromtimestamp(self.clock(), UTC)
            known = self._letters.pop(failure.letter_id, None)
            letter = DeadLetter(
                letter_id=failure.letter_id,
                failure=failure,
                count=known.count + 1 if known else 1,
                first_at=known.first_at if known else now,
                last_at=now,
            )
            self._letters[failure.letter_id] = letter
            for oldest in list(self._letters)[:-MOST_KEPT]:
                del self._letters[oldest]
            return letter

    def get(self, letter_id: str) -> DeadLetter:
        if letter_id not in self._letters:
            raise NotFound("dead letter", letter_id)
        return self._letters[letter_id]

    def page(self, *, limit: int = 50, offset: int = 0) -> LetterPage:
        newest = list(reversed(self._letters.values()))
        return LetterPage(letters=newest[offset : offset + limit], total=len(newest))

    def drop(self, letter_id: str) -> bool:
        with self._lock:
            return self._letters.pop(letter_id, None) is not None
