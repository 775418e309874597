"""What admins should mend, above the page that they open first; others see nothing of it."""

import gradio as gr

from client.errors import LeadersboardError
from ui.shell import Frame, is_admin


def admin_notice(frame: Frame, request: gr.Request) -> str:
    """The notices of the overview, one a line; empty for users, and where the API does not answer."""
    if not is_admin(frame, request):
        return ""
    try:
        notices = frame.desk.client_of(request).overview().notices
    except LeadersboardError:
        return ""
    return frame.markup.fill("admin_notice", notices=notices) if notices else ""
