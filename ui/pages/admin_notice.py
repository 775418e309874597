"""Notices for admins on the first page; other users see none."""

import gradio as gr

from client.api.errors import LeadersboardError
from ui.shell import Frame, is_admin


def admin_notice(frame: Frame, request: gr.Request) -> str:
    """The overview's notices as HTML; empty for other users, and when the API does not answer."""
    if not is_admin(frame, request):
        return ""
    try:
        notices = frame.sessions.client_of(request).overview().notices
    except LeadersboardError:
        return ""
    return frame.markup.fill("admin_notice", notices=notices) if notices else ""
