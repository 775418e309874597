"""The part of a job's page about its entry on the board: title, note, hiding, and what administrators decide."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from client.api.boards import Entry
from client.api.entries import EntryCalls
from client.api.errors import NotNow
from ui.shell import QUIET, Frame, is_admin, with_notice

WHAT = "The entry on the board could not be read"
WHAT_CHANGE = "The entry on the board was not changed"
LONGEST_TITLE = 100
LONGEST_NOTE = 300
LONGEST_REASON = 300

Call = Callable[[EntryCalls], Entry | None]


def entry_section(frame: Frame, job_id: gr.Textbox, results: gr.HTML) -> None:
    """Build the section. It appears with the job's results, if the job has an entry."""
    with gr.Column(visible=False, elem_classes="lb-entry") as section:
        gr.HTML("<h2>On the board</h2>", padding=False)
        notice = gr.HTML("", padding=False)
        state = gr.HTML("", padding=False)
        with gr.Row(elem_classes="lb-entry-words"):
            title = gr.Textbox("", label="Title", max_length=LONGEST_TITLE, min_width=220)
            note = gr.Textbox("", label="Note", max_length=LONGEST_NOTE, min_width=220, scale=2)
        with gr.Row(elem_classes="lb-actions"):
            save = gr.Button("Save title and note", size="sm", elem_classes="lb-small")
            hide = gr.Button("Hide from the board", size="sm", visible=False, elem_classes="lb-small")
            again = gr.Button("Show on the board again", size="sm", visible=False, elem_classes="lb-small")
        with gr.Column(visible=False, elem_classes="lb-entry-admin") as for_admins:
            reason = gr.Textbox("", label="Reason, for administrators' decisions", max_length=LONGEST_REASON)
            with gr.Row(elem_classes="lb-actions"):
                out = gr.Button("Disqualify", variant="stop", size="sm", visible=False, elem_classes="lb-small")
                back = gr.Button("Restore to the ranks", size="sm", visible=False, elem_classes="lb-small")
                pin = gr.Button("Pin as baseline", size="sm", visible=False, elem_classes="lb-small")
                unpin = gr.Button("No baseline any more", size="sm", visible=False, elem_classes="lb-small")
    shown = [notice, state, section, title, note, hide, again, for_admins, reason, out, back, pin, unpin]
    show = _Show(frame)
    results.change(show.first, [job_id], shown, **QUIET)
    save.click(show.save, [job_id, title, note], shown, **QUIET)
    hide.click(show.hide, [job_id], shown, **QUIET)
    again.click(show.show, [job_id], shown, **QUIET)
    out.click(show.disqualify, [job_id, reason], shown, **QUIET)
    back.click(show.restore, [job_id, reason], shown, **QUIET)
    pin.click(show.pin, [job_id], shown, **QUIET)
    unpin.click(show.unpin, [job_id], shown, **QUIET)


class _Show:
    """The section's events; each returns the whole section."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """The results have come: show the job's entry. A trial has none."""
        return self._answer(WHAT, request, lambda entries: _entry_of(entries, job_id))

    def save(self, job_id: str, title: str, note: str, request: gr.Request) -> tuple[Any, ...]:
        """Set both texts."""
        return self._answer(
            WHAT_CHANGE, request, lambda entries: entries.change(job_id, title=title, note=note), saved=True
        )

    def hide(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Leave the entry out of its board."""
        return self._answer(WHAT_CHANGE, request, lambda entries: entries.change(job_id, hidden=True))

    def show(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Show it again."""
        return self._answer(WHAT_CHANGE, request, lambda entries: entries.change(job_id, hidden=False))

    def disqualify(self, job_id: str, reason: str, request: gr.Request) -> tuple[Any, ...]:
        """Take it out of the ranks."""
        return self._answer(WHAT_CHANGE, request, lambda entries: entries.disqualify(job_id, reason))

    def restore(self, job_id: str, reason: str, request: gr.Request) -> tuple[Any, ...]:
        """Rank it again."""
        return self._answer(WHAT_CHANGE, request, lambda entries: entries.restore(job_id, reason))

    def pin(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Show it as a baseline."""
        return self._answer(WHAT_CHANGE, request, lambda entries: entries.baseline(job_id, pinned=True))

    def unpin(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Rank it like every other."""
        return self._answer(WHAT_CHANGE, request, lambda entries: entries.baseline(job_id, pinned=False))

    def _answer(self, what: str, request: gr.Request, call: Call, *, saved: bool = False) -> tuple[Any, ...]:
        entries = self._frame.sessions.client_of(request).entries
        kept = tuple(gr.skip() for _ in range(12))
        return with_notice(self._frame, what, lambda: self._section(call, entries, request, saved=saved), kept)

    def _section(self, call: Call, entries: EntryCalls, request: gr.Request, *, saved: bool) -> tuple[Any, ...]:
        entry = call(entries)
        if entry is None:
            return ("", gr.update(visible=False), *(gr.skip() for _ in range(10)))
        is_out = bool(entry.disqualified_because)
        return (
            self._frame.markup.fill("entry", entry=entry, saved=saved),
            gr.update(visible=True),
            entry.title,
            entry.note,
            gr.update(visible=not entry.hidden and not is_out),
            gr.update(visible=entry.hidden),
            gr.update(visible=is_admin(self._frame, request)),
            "",
            gr.update(visible=not is_out),
            gr.update(visible=is_out),
            gr.update(visible=not entry.baseline and not is_out),
            gr.update(visible=entry.baseline),
        )


def _entry_of(entries: EntryCalls, job_id: str) -> Entry | None:
    """The entry; None for a trial, which has none."""
    try:
        return entries.get(job_id)
    except NotNow:
        return None
