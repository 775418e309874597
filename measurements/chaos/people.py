"""The users: each posts its jobs of a plan over the API and retries, as a careful client does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx2

from measurements.chaos.plan import Wish

AGAIN_SECONDS = 0.2
CANCEL_AFTER_SECONDS = (0.5, 3.0, 8.0)
"""In turn: before a job begins, and while it runs."""
NOT_NOW = {httpx2.codes.SERVICE_UNAVAILABLE, httpx2.codes.INSUFFICIENT_STORAGE}
GONE = {httpx2.codes.CONFLICT}
"""The answer to a cancel of a job that has ended."""


def token(user: str) -> str:
    return f"{user}-token-0123456789"


def tokens(users: int) -> str:
    """All users' tokens, in the format of the setting `API_TOKENS`."""
    names = [f"user{number}" for number in range(users)]
    return ",".join(f"{name}:{token(name)}" for name in names)


@dataclass(kw_only=True)
class Crowd:
    """All users. `kinds` maps each accepted job to its kind, which decides the expected outcome."""

    url: str
    benchmark: str
    give_up: threading.Event = field(default_factory=threading.Event)
    kinds: dict[str, str] = field(default_factory=dict)
    put_off: Counter[str] = field(default_factory=Counter)
    """Requests that were answered "not now", by status, or not at all."""
    refused: list[str] = field(default_factory=list)
    """Answers that were neither yes nor "not now": there should be none."""
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, wishes: Iterable[Wish]) -> None:
        """Post each wish at its time, each user in its own thread."""
        began, by_user = time.monotonic(), dict[str, list[Wish]]()
        for wish in wishes:
            by_user.setdefault(wish.user, []).append(wish)
        for user, own in by_user.items():
            thread = threading.Thread(target=self._live, args=(user, own, began), daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait until all users have posted all jobs; after `seconds` they give up."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.give_up.set()

    def _live(self, user: str, wishes: list[Wish], began: float) -> None:
        headers = {"Authorization": f"Bearer {token(user)}"}
        with httpx2.Client(base_url=self.url, headers=headers, timeout=10.0, trust_env=False) as door:
            for wish in wishes:
                self.give_up.wait(max(0.0, began + wish.at_seconds - time.monotonic()))
                self._post(door, wish)

    def _post(self, door: httpx2.Client, wish: Wish) -> None:
        files = [("files", (name, text.encode())) for name, text in wish.files.items()]
        stored = self._insist(lambda: door.post("/submissions", files=files))
        if stored is None:
            return
        config = {"benchmark": self.benchmark, "resource_class": wish.resource_class}
        wanted = {"submission_id": stored.json()["submission_id"], "config": config}
        key = {"Idempotency-Key": f"chaos {wish.number}"}
        posted = self._insist(lambda: door.post("/jobs", json=wanted, headers=key))
        if posted is None:
            return
        job_id = posted.json()["job_id"]
        self.kinds[job_id] = wish.kind
        if wish.kind == "cancelled":
            self.give_up.wait(CANCEL_AFTER_SECONDS[wish.number % len(CANCEL_AFTER_SECONDS)])
            self._insist(lambda: door.post(f"/jobs/{job_id}/cancel"))

    def _insist(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response | None:
        """Repeat a request without an answer, or with "not now". None after any other refusal, or when time is up."""
        while not self.give_up.is_set():
            try:
                answer = ask()
            except httpx2.TransportError:
                answer = None
            if answer is None:
                self.put_off["not answered"] += 1
                self.give_up.wait(AGAIN_SECONDS)
            elif answer.is_success:
                return answer
            elif answer.status_code in NOT_NOW:
                self.put_off[str(answer.status_code)] += 1
                self.give_up.wait(float(answer.headers.get("Retry-After", AGAIN_SECONDS)))
            else:
                if answer.status_code not in GONE:
                    self.refused.append(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
                return None
        return None
