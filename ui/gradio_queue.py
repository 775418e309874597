"""Reads Gradio's queue and routes through its private attributes; no other module does."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.queueing import Queue
from gradio.routes import App

FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"
FOLDERS = ("assets", "static")


class GradioQueue:
    """The event queue of Gradio's application."""

    def __init__(self, app: App) -> None:
        self._app = app

    def has(self, name: str) -> bool:
        """Whether the page of this name has called an event."""
        return name in self._queue.pending_messages_per_session

    def waiting_of(self, user_id: str) -> int:
        """How many events of a user wait or run."""
        waiting = [event for line in list(self._queue.event_queue_per_concurrency_id.values()) for event in line.queue]
        running = [event for events in self._queue.active_jobs for event in events or ()]
        return sum(event.username == user_id for event in waiting + running)

    @property
    def _queue(self) -> Queue:
        return self._app.get_blocks()._queue  # noqa: SLF001, there is no public way

    def forget(self, name: str) -> None:
        """Free all that Gradio keeps for a page."""
        queue, states = self._queue, self._app.state_holder
        kept: tuple[dict[str, Any], ...] = (
            queue.pending_messages_per_session,
            queue.pending_event_ids_session,
            states.session_data,
            states.time_last_used,
        )
        for entries in kept:
            entries.pop(name, None)


def own_files() -> frozenset[str]:
    """The paths under which Gradio serves its own scripts, fonts and styles."""
    files = (path for folder in FOLDERS for path in (FRONTEND / folder).rglob("*") if path.is_file())
    return frozenset(f"/{path.relative_to(FRONTEND).as_posix()}" for path in files)


def keep_routes(app: App, kept: frozenset[str]) -> None:
    """Remove every route from Gradio's application whose path is not in `kept`."""
    for router in (app.router, *(route.original_router for route in app.routes if hasattr(route, "original_router"))):
        router.routes[:] = [
            route for route in router.routes if hasattr(route, "original_router") or getattr(route, "path", "") in kept
        ]
