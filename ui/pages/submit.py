"""A submission: files and choices in, a job out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from client.errors import Invalid, Problem
from client.models import Job
from ui.shell import QUIET, Frame, close_page, header_of, open_page, told

HERE = "/submit"
WHAT = "The submission was not accepted"
WHAT_CHOICES = "Benchmarks and resource classes could not be read"
TITLE = """<h1 class="lb-title">Submit an experiment</h1>
<p class="lb-lead">Upload main.py and config.yaml, or one .zip or .tar.gz that also holds folders such as src/.</p>"""
ACCEPTED = [".py", ".yaml", ".yml", ".zip", ".gz", ".txt"]  # what the picker offers; the API decides


def page(frame: Frame) -> None:
    """Build the page."""
    header = open_page(frame, HERE)
    gr.HTML(TITLE, padding=False)
    with gr.Row(elem_classes="lb-form"):
        with gr.Column(scale=3, min_width=320):
            files = gr.File(
                label="Files",
                file_count="multiple",
                file_types=ACCEPTED,
                height=170,
            )
            with gr.Row():
                benchmark = gr.Dropdown([], label="Benchmark", info="What to compete in", min_width=200)
                resources = gr.Dropdown([], label="Resource class", info="How much machine", min_width=200)
            with gr.Row():
                entrypoint = gr.Textbox("main.py", label="Entrypoint", info="The program to start", min_width=200)
                config_file = gr.Textbox("config.yaml", label="Config file", info="Given as --config", min_width=200)
            with gr.Accordion("Overrides and metadata", open=False):
                extra = gr.Code(
                    "{}", language="json", label="Config overrides (JSON), reach the program as job.json", lines=3
                )
                metadata = gr.Code("{}", language="json", label="Metadata (JSON), kept with the submission", lines=3)
            notice = gr.HTML("", padding=False)
            submitted = gr.HTML("", padding=False)
            send = gr.Button("Submit", variant="primary", elem_classes="lb-send")
        with gr.Column(scale=2, min_width=260):
            hints = gr.HTML(frame.markup.fill("hints", benchmark=None, resources=None), padding=False)
    close_page(frame)

    show = _Show(frame)
    gr.on(None, show.first, None, [header, notice, benchmark, resources, hints], **QUIET)
    for chosen in (benchmark, resources):
        chosen.input(show.hints, [benchmark, resources], [notice, hints], **QUIET)
    typed = [files, entrypoint, config_file, metadata, benchmark, resources, extra]
    busy, idle = gr.update(interactive=False, value="Submitting…"), gr.update(interactive=True, value="Submit")
    send.click(lambda: busy, None, send, **QUIET).then(show.submit, typed, [notice, submitted, files], **QUIET).then(
        lambda: idle, None, send, **QUIET
    )


class _Show:
    """The page's events."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        """The page was opened."""
        header = header_of(self._frame, HERE, request)
        kept = (gr.skip(), gr.skip(), gr.skip())
        return (header, *told(self._frame, WHAT_CHOICES, lambda: self._choices(request), kept))

    def hints(self, benchmark: str, resources: str, request: gr.Request) -> tuple[Any, ...]:
        """Another choice, explained."""
        return told(self._frame, WHAT_CHOICES, lambda: (self._explained(benchmark, resources, request),), (gr.skip(),))

    def submit(  # noqa: PLR0917, Gradio gives the form's values by position
        self,
        files: Sequence[str] | None,
        entrypoint: str,
        config_file: str,
        metadata: str,
        benchmark: str | None,
        resources: str | None,
        extra: str,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Upload and queue; the form is kept when it was refused."""
        uploads = [Path(file) for file in files or []]
        choices = {"benchmark": benchmark, "resource_class": resources}

        def send() -> tuple[Any, ...]:
            about, overrides = json_object("metadata", metadata), json_object("overrides", extra)
            config = {**overrides, **{name: value for name, value in choices.items() if value}}
            return self._sent(uploads, entrypoint, config_file, about, config, request)

        return told(self._frame, WHAT, send, ("", gr.skip()))

    def _sent(  # noqa: PLR0917, as above
        self,
        uploads: list[Path],
        entrypoint: str,
        config_file: str,
        about: dict[str, Any],
        config: dict[str, Any],
        request: gr.Request,
    ) -> tuple[Any, ...]:
        if not uploads:
            raise fault("files", "Choose at least one file to submit")
        client = self._frame.desk.client_of(request)
        submission = client.create_submission(
            uploads, entrypoint=entrypoint.strip(), config_file=config_file.strip(), metadata=about
        )
        job = client.create_job(submission.submission_id, config)
        _forget(uploads)
        html = self._frame.markup.fill("submitted", job=job, submission=submission, is_old=_is_old(job))
        return html, None

    def _choices(self, request: gr.Request) -> tuple[Any, ...]:
        client = self._frame.desk.client_of(request)
        benchmarks, resources = client.benchmarks().items, client.resource_classes()
        first = benchmarks[0].name if benchmarks else None
        return (
            gr.update(choices=[(one.title, one.name) for one in benchmarks], value=first),
            gr.update(choices=[one.name for one in resources.items], value=resources.default),
            self._explained(first, resources.default, request),
        )

    def _explained(self, benchmark: str | None, resources: str | None, request: gr.Request) -> str:
        client = self._frame.desk.client_of(request)
        return self._frame.markup.fill(
            "hints",
            benchmark=next((one for one in client.benchmarks().items if one.name == benchmark), None),
            resources=next((one for one in client.resource_classes().items if one.name == resources), None),
        )


def json_object(field: str, text: str) -> dict[str, Any]:
    """A JSON object that somebody typed; raises `Invalid` that names the field and the place of the error."""
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise fault(field, f"This is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise fault(field, 'This is not a JSON object such as {"note": "second try"}')
    return value


def fault(field: str, rule: str) -> Invalid:
    """A field of the form that cannot even be sent."""
    return Invalid(Problem(status=422, code="invalid_form", detail=f"{field.capitalize()}: {rule}."))


def _is_old(job: Job) -> bool:
    return job.started_at is not None or job.status.is_final


def _forget(uploads: Sequence[Path]) -> None:
    for path in uploads:
        path.unlink(missing_ok=True)
