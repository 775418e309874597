"""All pages as one Gradio application, mounted behind the door."""

from collections.abc import Callable

import gradio as gr
from fastapi import FastAPI, Request

from ui.desk import Desk
from ui.markup import Templates
from ui.pages import job, jobs, leaderboard, submit
from ui.shell import EVENTS_AT_ONCE, EVENTS_WAITING, UPLOADS_SWEPT, Frame, mount_options


def mount_site(app: FastAPI, desk: Desk, markup: Templates, user_of: Callable[[Request], str | None]) -> None:
    """Add the pages to an application."""
    frame = Frame(desk=desk, markup=markup)
    with gr.Blocks(title="LeadersBoard", analytics_enabled=False, delete_cache=(UPLOADS_SWEPT, UPLOADS_SWEPT)) as site:
        leaderboard.page(frame)
    for name, path, page in (
        ("Submit", "/submit", submit.page),
        ("Jobs", "/jobs", jobs.page),
        ("Job", "/job", job.page),
    ):
        with site.route(name, path, show_in_navbar=False):  # the header has its own
            page(frame)
    # Gradio's own limit is one event at a time: the second viewer would wait for the first.
    site.queue(max_size=EVENTS_WAITING, default_concurrency_limit=EVENTS_AT_ONCE, api_open=False)
    gr.mount_gradio_app(app, site, path="/", auth_dependency=user_of, **mount_options())
