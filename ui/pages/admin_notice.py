"""Notices for admins on the first page; other users see none."""

import gradio as gr

from client.api.boards import BenchmarkCheck
from client.api.client import LeadersboardClient
from client.api.errors import LeadersboardError
from client.api.overview import Notice
from ui.shell import Frame, is_admin

MOST_FINDINGS = 10
"""How many findings about one benchmark are shown."""


def admin_notice(frame: Frame, request: gr.Request) -> str:
    """The overview's notices as HTML; empty for other users, and when the API does not answer."""
    if not is_admin(frame, request):
        return ""
    client = frame.sessions.client_of(request)
    try:
        notices = client.overview().notices
    except LeadersboardError:
        return ""
    if not notices:
        return ""
    return frame.markup.fill("admin_notice", notices=notices, checks=_checks(client, notices), most=MOST_FINDINGS)


def _checks(client: LeadersboardClient, notices: tuple[Notice, ...]) -> list[BenchmarkCheck]:
    """What is wrong with each benchmark, asked only where a notice says that one is broken."""
    if not any(notice.kind == "benchmark" for notice in notices):
        return []
    try:
        return [check for check in client.check_benchmarks().items if not check.is_good]
    except LeadersboardError:  # such as another check that runs now
        return []
