"""The submit page. Its form posts to our own routes (ui/uploads.py), never to Gradio."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from client.api.boards import Benchmark, ResourceClass, Weights
from client.api.client import LeadersboardClient
from client.api.errors import LeadersboardError
from ui.shell import QUIET, Frame, asset, close_page, header_of, open_page, with_notice

HERE = "/submit"
WHAT_CHOICES = "Benchmarks and resource classes could not be read"
TITLE = """<h1 class="lb-title">Submit an experiment</h1>
<p class="lb-lead">Upload main.py and config.yaml, or one .zip or .tar.gz that also holds folders such as src/.</p>"""


def page(frame: Frame) -> None:
    """Build the page."""
    header = open_page(frame, HERE)
    gr.HTML(TITLE, padding=False)
    notice = gr.HTML("", padding=False)
    form = gr.HTML('<div class="lb-loading">Loading…</div>', padding=False, js_on_load=asset("submit.js"))
    close_page(frame)
    gr.on(None, _Show(frame).first, None, [header, notice, form], **QUIET)


class _Show:
    """The page's event."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        """Load event: show the form with its choices."""
        header = header_of(self._frame, HERE, request)
        # Without its choices the form can still be sent: the platform then uses its defaults.
        kept = (self._form((), (), ""),)
        return (header, *with_notice(self._frame, WHAT_CHOICES, lambda: (self._filled(request),), kept))

    def _filled(self, request: gr.Request) -> str:
        client = self._frame.sessions.client_of(request)
        resources = client.resource_classes()
        return self._form(client.benchmarks().items, resources.items, resources.default, _weights(client))

    def _form(
        self,
        benchmarks: Sequence[Benchmark],
        resources: Sequence[ResourceClass],
        default: str,
        weights: Sequence[Weights] = (),
    ) -> str:
        return self._frame.markup.fill(
            "submit", benchmarks=benchmarks, resources=resources, default=default, weights=weights
        )


def _weights(client: LeadersboardClient) -> Sequence[Weights]:
    """The site's weights, for one line of hints; none where they cannot be listed."""
    try:
        return client.weights().items
    except LeadersboardError:
        return ()
