"""What all pages share: look, header, footer, and the switches of Gradio with the reason for each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from client.errors import LeadersboardError
from ui.desk import Desk
from ui.markup import Templates
from ui.notices import notice_of

ASSETS = Path(__file__).parent / "assets"
EVENTS_AT_ONCE = 40
EVENTS_WAITING = 500

# An event of ours: not listed in any API, without the progress veil over what is already shown. Its inputs are as the
# gate (ui/gradio_events.py) checked them: Gradio's own reading of them would look for files, and repeat them in errors.
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
"""Parts of the theme by the style sheet's variable, which itself knows light from dark."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a page needs to build itself."""

    desk: Desk
    markup: Templates


def theme() -> gr.themes.Base:
    """Calm colours and fonts that come with the package, so that no page asks another site for anything."""
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
    """A file of ours as text."""
    return (ASSETS / name).read_text(encoding="utf-8")


def head() -> str:
    """What every page has in its head."""
    return f'<link rel="icon" href="/ui-assets/mark.svg" type="image/svg+xml"><script>{asset("times.js")}</script>'


def mount_options() -> dict[str, Any]:
    """Gradio's switches for mounting."""
    return {
        "footer_links": [],  # no API page, no settings, no advertisement
        "run_history": False,  # it would keep what users typed in the browser
        "enable_monitoring": False,  # it shows calls of all users
        "ssr_mode": False,  # needs Node, and breaks with our sign-in
        "pwa": False,
        "mcp_server": False,
        "show_error": False,  # what went wrong inside is for the log, not for the page
        "allowed_paths": [],
        "theme": theme(),
        "css": asset("style.css"),
        "head": head(),
    }


def open_page(frame: Frame, here: str) -> gr.HTML:
    """The top of a page; the name of its user comes with the page's load event."""
    return gr.HTML(frame.markup.fill("header", here=here, user=None), padding=False)


def close_page(frame: Frame) -> None:
    """The bottom of a page."""
    gr.HTML(frame.markup.fill("footer"), padding=False)


def header_of(frame: Frame, here: str, request: gr.Request) -> str:
    """The header with its user."""
    return frame.markup.fill("header", here=here, user=frame.desk.session_of(request))


def is_admin(frame: Frame, request: gr.Request) -> bool:
    """Whether the user may see everybody's jobs; only for what is shown, the API decides what is allowed."""
    session = frame.desk.session_of(request)
    return session is not None and session.is_admin


def told(frame: Frame, what: str, show: Callable[[], tuple[Any, ...]], otherwise: tuple[Any, ...]) -> tuple[Any, ...]:
    """What `show` gives under an empty notice; when the API fails, a notice over what `otherwise` keeps."""
    try:
        return ("", *show())
    except LeadersboardError as error:
        return (notice_of(frame.markup, error, what=what), *otherwise)
