"""The page of a user's jobs (for admins: all jobs), refreshed while one of them is live."""

from typing import Any

import gradio as gr

from client.api.models import JobState
from ui.shell import QUIET, Frame, close_page, header_of, is_admin, open_page, with_notice

HERE = "/jobs"
PERIOD = 3
PAGE = 50
WHAT = "The jobs could not be read"
STATES = [("All", ""), *((state.value, state.value) for state in JobState)]


def page(frame: Frame) -> None:
    """Build the page."""
    header = open_page(frame, HERE)
    gr.HTML('<h1 class="lb-title">Jobs</h1>', padding=False)
    notice = gr.HTML("", padding=False)
    with gr.Row(elem_classes="lb-controls"):
        state = gr.Radio(STATES, value="", label="State", scale=4)
        refresh = gr.Button("Refresh", size="sm", elem_classes="lb-small", scale=0, min_width=90)
    cursor = gr.Textbox("", visible=False)
    following = gr.Textbox("", visible=False)
    table = gr.HTML('<div class="lb-loading">Loading…</div>', padding=False)
    with gr.Row(elem_classes="lb-actions"):
        newest = gr.Button("← Newest", size="sm", visible=False, elem_classes="lb-small")
        older = gr.Button("Older →", size="sm", visible=False, elem_classes="lb-small")
    timer = gr.Timer(PERIOD, active=False)
    close_page(frame)

    shown = [notice, table, cursor, following, newest, older, timer]
    show = _Show(frame)
    gr.on(None, show.first, None, [header, *shown], **QUIET)
    timer.tick(show.page, [state, cursor], shown, **QUIET)
    refresh.click(show.page, [state, cursor], shown, **QUIET)
    state.input(show.newest, [state], shown, **QUIET)
    newest.click(show.newest, [state], shown, **QUIET)
    older.click(show.page, [state, following], shown, **QUIET)


class _Show:
    """The page's events; each returns the whole table."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        """Load event."""
        return (header_of(self._frame, HERE, request), *self._answer("", "", request, first=True))

    def newest(self, state: str, request: gr.Request) -> tuple[Any, ...]:
        """Show the newest jobs."""
        return self._answer(state, "", request)

    def page(self, state: str, cursor: str, request: gr.Request) -> tuple[Any, ...]:
        """Show the jobs from a cursor on."""
        return self._answer(state, cursor, request)

    def _answer(self, state: str, cursor: str, request: gr.Request, *, first: bool = False) -> tuple[Any, ...]:
        # While the API does not answer, the timer goes on, so that the page recovers by itself.
        kept = ("" if first else gr.skip(), *(gr.skip() for _ in range(4)), gr.Timer(active=True))
        return with_notice(self._frame, WHAT, lambda: self._table(state, cursor, request), kept)

    def _table(self, state: str, cursor: str, request: gr.Request) -> tuple[Any, ...]:
        found = self._frame.sessions.client_of(request).jobs(status=state or None, limit=PAGE, cursor=cursor or None)
        is_live = any(not job.status.is_final for job in found.items)
        html = self._frame.markup.fill("jobs", page=found, state=state, is_admin=is_admin(self._frame, request))
        return (
            html,
            cursor,
            found.next_cursor or "",
            gr.update(visible=bool(cursor)),
            gr.update(visible=bool(found.next_cursor)),
            gr.Timer(active=is_live),
        )
