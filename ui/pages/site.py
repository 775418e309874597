"""Mounts all pages as one Gradio application behind the filter."""

from collections.abc import Callable

import gradio as gr
from fastapi import FastAPI, Request
from gradio.routes import App as GradioApp
from starlette.routing import Mount

from ui.browser_sessions import BrowserSessions
from ui.gradio_events import DeclaredEvents
from ui.gradio_filter import DATA, JOIN, THEME, GradioFilter
from ui.gradio_queue import GradioQueue, keep_routes, own_files
from ui.markup import Templates
from ui.pages import job, jobs, leaderboard, submit
from ui.shell import EVENTS_AT_ONCE, EVENTS_WAITING, Frame, mount_options

ROUTED = (("Submit", "/submit", submit.page), ("Jobs", "/jobs", jobs.page), ("Job", "/job", job.page))
PAGES = frozenset({leaderboard.HERE, *(path for _, path, _ in ROUTED)})


def mount_site(
    app: FastAPI, sessions: BrowserSessions, markup: Templates, user_of: Callable[[Request], str | None]
) -> None:
    """Add the pages to `app`."""
    site = build_site(sessions, markup)
    gr.mount_gradio_app(app, site, path="/", auth_dependency=user_of, **mount_options())
    mount = next(route for route in app.routes if isinstance(route, Mount) and isinstance(route.app, GradioApp))
    gradio_app: GradioApp = mount.app  # type: ignore[assignment]
    keep_routes(gradio_app, PAGES | {JOIN, DATA, THEME, "/assets/{path:path}", "/static/{path:path}"})
    events, queue = DeclaredEvents(site.fns), GradioQueue(gradio_app)
    mount.app = GradioFilter(gradio_app, sessions=sessions, events=events, queue=queue, pages=PAGES, files=own_files())


def build_site(sessions: BrowserSessions, markup: Templates) -> gr.Blocks:
    """Build the Gradio pages, without a server."""
    frame = Frame(sessions=sessions, markup=markup)
    site: gr.Blocks
    with gr.Blocks(title="LeadersBoard", analytics_enabled=False) as site:
        leaderboard.page(frame)
    for name, path, page in ROUTED:
        with site.route(name, path, show_in_navbar=False):  # our header has its own navigation
            page(frame)
    # By default Gradio runs one event at a time: the second viewer would wait for the first.
    site.queue(max_size=EVENTS_WAITING, default_concurrency_limit=EVENTS_AT_ONCE, api_open=False)
    return site
