"""A platform of a few lines: answers by method and path, and remembers what it was asked."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]

JOB = {
    "job_id": "j1",
    "submission_id": "s1",
    "user_id": "alice",
    "status": "pending",
    "phase": "queued",
    "benchmark": "synthetic",
    "resource_class": "small",
    "attempt": 0,
    "queue_position": 1,
    "created_at": "2026-01-02T03:04:05Z",
    "started_at": None,
    "finished_at": None,
    "updated_at": "2026-01-02T03:04:05Z",
    "cancel_requested": False,
    "a_field_of_a_newer_platform": {},
}
SUBMISSION = {
    "submission_id": "s1",
    "sha256": "0" * 64,
    "entrypoint": "main.py",
    "config_file": "config.yaml",
    "files": [{"path": "main.py", "size_bytes": 3}],
    "created_at": "2026-01-02T03:04:05Z",
}


def job(**changes: Any) -> dict[str, Any]:
    """A job as the API answers it."""
    return JOB | changes


def problem(status: int, code: str, detail: str, **more: Any) -> httpx2.Response:
    """A refusal as the API answers it."""
    headers = {"retry-after": more.pop("retry_after")} if "retry_after" in more else {}
    body = {"status": status, "code": code, "detail": detail, "request_id": "r-1", **more}
    return httpx2.Response(status, headers=headers, content=json.dumps(body).encode())


def log_event(text: str, next_offset: int, platform: list[list[int]] | None = None) -> str:
    """A part of a log, and the byte after it."""
    return f"event: log\ndata: {json.dumps({'text': text, 'platform': platform or []})}\nid: {next_offset}\n\n"


def end_event(next_offset: int, status: str = "completed") -> str:
    """The end of a log."""
    return f"event: end\ndata: {json.dumps({'status': status, 'failure_reason': None})}\nid: {next_offset}\n\n"


class Platform:
    """Answers each call with the next of its answers; the last one stays."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}

    def answers(self, method: str, path: str, *answers: Answer | Mapping[str, Any]) -> None:
        """Set what a call gives; a plain object means 200."""
        made = [httpx2.Response(200, json=one) if isinstance(one, Mapping) else one for one in answers]
        self._answers[method, path] = made

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """One call."""
        request.read()
        self.asked.append(request)
        waiting = self._answers.get((request.method, request.url.path))
        if not waiting:
            return problem(404, "not_found", f"There is nothing at {request.url.path}.")
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def http(self, base_url: str = "http://api.test", **_options: Any) -> httpx2.Client:
        """A connection pool that ends here."""
        return httpx2.Client(base_url=base_url, transport=httpx2.MockTransport(self.handle))

    def async_http(self, base_url: str = "http://api.test", **_options: Any) -> httpx2.AsyncClient:
        """The same for asynchronous code."""
        return httpx2.AsyncClient(base_url=base_url, transport=httpx2.MockTransport(self.handle))
