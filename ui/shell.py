"""What all pages share: theme, header, footer, and Gradio's options, each with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from client.api.errors import LeadersboardError
from ui.browser_sessions import BrowserSessions
from ui.markup import Templates
from ui.notices import notice_of

ASSETS = Path(__file__).parent / "assets"
EVENTS_AT_ONCE = 40
EVENTS_WAITING = 500

# Options of our events: not listed in an API, no progress overlay. Inputs are used as ui/gradio_events.py checked them:
# Gradio's own preprocessing would look for files and repeat the inputs in errors.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "preprocess": False}


COLOURS = {
    "body_background_fill": "page",
    "block_background_fill": "card",
    "block_border_color": "line",
    "input_border_color": "line",
    "checkbox_label_background_fill": "calm-soft",
    "checkbox_label_background_fill_hover": "calm-soft",
    "body_text_color": "text",
    "body_text_color_subdued": "faint",
    "block_label_text_color": "faint",
    "block_title_text_color": "text",
    "block_info_text_color": "faint",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent",
    "button_primary_text_color": "on-accent",
}
"""Maps theme colours to variables of the style sheet, which has light and dark values."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a page needs to be built."""

    sessions: BrowserSessions
    markup: Templates


def theme() -> gr.themes.Base:
    """The theme, with fonts from the package, so that no page loads anything from another site."""
    # Regular and bold only: the package's semibold lacks some letters.
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
    ).set(
        **{f"{part}{mode}": f"var(--lb-{colour})" for part, colour in COLOURS.items() for mode in ("", "_dark")},
        input_border_width="1px",
        input_background_fill="var(--lb-card)",
        input_background_fill_dark="var(--lb-page)",
    )


def asset(name: str) -> str:
    """The text of a file in ui/assets."""
    return (ASSETS / name).read_text(encoding="utf-8")


def head() -> str:
    """The HTML in every page's head."""
    return f'<link rel="icon" href="/ui-assets/mark.svg" type="image/svg+xml"><script>{asset("times.js")}</script>'


def mount_options() -> dict[str, Any]:
    """Gradio's options for mounting."""
    return {
        "footer_links": [],  # no API page, no settings, no advertisement
        "run_history": False,  # it would keep what users typed in the browser
        "enable_monitoring": False,  # it shows calls of all users
        "ssr_mode": False,  # needs Node, and breaks with our sign-in
        "pwa": False,
        "mcp_server": False,
        "show_error": False,  # internal errors are for the log, not for the page
        "allowed_paths": [],
        "theme": theme(),
        "css": asset("style.css"),
        "head": head(),
    }


def open_page(frame: Frame, here: str) -> gr.HTML:
    """Add the header; the page's load event adds the user's name."""
    return gr.HTML(frame.markup.fill("header", here=here, user=None), padding=False)


def close_page(frame: Frame) -> None:
    """Add the footer."""
    gr.HTML(frame.markup.fill("footer"), padding=False)


def header_of(frame: Frame, here: str, request: gr.Request) -> str:
    """The header with the user's name."""
    return frame.markup.fill("header", here=here, user=frame.sessions.session_of(request))


def is_admin(frame: Frame, request: gr.Request) -> bool:
    """Whether the user is an admin; only for display, since the API decides what is allowed."""
    session = frame.sessions.session_of(request)
    return session is not None and session.is_admin


def with_notice(
    frame: Frame, what: str, show: Callable[[], tuple[Any, ...]], otherwise: tuple[Any, ...]
) -> tuple[Any, ...]:
    """An empty notice and the values of `show`; when the API fails, a notice and the values of `otherwise`."""
    try:
        return ("", *show())
    except LeadersboardError as error:
        return (notice_of(frame.markup, error, what=what), *otherwise)
