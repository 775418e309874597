"""The page of one job: its state, its log as it grows, why it failed, what it produced."""

from typing import Any

import gradio as gr

from client.api.boards import MOST_ROWS, Benchmark, Metric
from client.api.client import LeadersboardClient
from client.api.models import Job, JobState, Results
from ui.pages.entry import entry_section
from ui.pages.timeline import steps_of
from ui.run_files import pictures_of
from ui.shell import QUIET, Frame, asset, close_page, header_of, is_admin, open_page, with_notice
from ui.uploads import is_old

HERE = "/jobs"
PERIOD = 2
WHAT = "The job could not be read"
WHAT_CANCEL = "The job could not be cancelled"
WHAT_SUBMIT = "What was tried could not be submitted"
MEASURED = "system/"


def page(frame: Frame) -> None:
    """Build the page."""
    header = open_page(frame, HERE)
    gr.HTML('<p class="lb-lead"><a href="/jobs">← All jobs</a></p>', padding=False)
    notice = gr.HTML("", padding=False)
    facts = gr.HTML('<div class="lb-loading">Loading…</div>', padding=False)
    # The timer updates only the row, not its buttons: a tick must not close a question that the user is answering.
    with gr.Row(visible=False, elem_classes="lb-actions") as actions:
        cancel = gr.Button("Cancel job", size="sm", elem_classes="lb-small")
        sure = gr.Button("Yes, cancel it", variant="stop", size="sm", visible=False, elem_classes="lb-small")
        keep = gr.Button("Keep it", size="sm", visible=False, elem_classes="lb-small")
    with gr.Row(visible=False, elem_classes="lb-actions") as after_trial:
        submit = gr.Button("Submit it", variant="primary", size="sm", elem_classes="lb-small")
    submitted = gr.HTML("", padding=False)
    results = gr.HTML("", padding=False)
    job_id = gr.Textbox("", visible=False)
    entry_section(frame, job_id, results)
    gr.HTML(frame.markup.fill("log"), padding=False, js_on_load=asset("log.js"))
    timer = gr.Timer(PERIOD, active=False)
    close_page(frame)

    shown = [notice, facts, results, actions, after_trial, timer]
    buttons = [cancel, sure, keep]
    show = _Show(frame)
    gr.on(None, show.first, None, [header, job_id, *shown], **QUIET)
    timer.tick(show.tick, [job_id], shown, **QUIET)
    cancel.click(lambda: _asking(yes=True), None, buttons, **QUIET)
    keep.click(lambda: _asking(yes=False), None, buttons, **QUIET)
    submit.click(show.submit, [job_id], [notice, submitted, after_trial], **QUIET)
    sure.click(show.cancel, [job_id], [*shown, *buttons], **QUIET)


class _Show:
    """The page's events; each returns the whole page except the log, which is streamed."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        """Load event: show the job named in the address."""
        job_id = request.query_params.get("id", "")
        return (header_of(self._frame, HERE, request), job_id, *self._answer(job_id, request, first=True))

    def tick(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Timer event: refresh."""
        return self._answer(job_id, request)

    def cancel(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Cancel the job, after the user has confirmed it."""
        kept = (gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.Timer(active=True))
        client = self._frame.sessions.client_of
        shown = with_notice(
            self._frame, WHAT_CANCEL, lambda: self._job(client(request).cancel_job(job_id), request), kept
        )
        return (*shown, *_asking(yes=False))

    def submit(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Run what was tried as a job that counts. A second click is answered with the same job."""
        kept = (gr.skip(), gr.skip())
        return with_notice(self._frame, WHAT_SUBMIT, lambda: self._submitted(job_id, request), kept)

    def _submitted(self, job_id: str, request: gr.Request) -> tuple[Any, ...]:
        client = self._frame.sessions.client_of(request)
        job = client.rerun_job(job_id, idempotency_key=f"submit-{job_id}", as_job=True)
        submission = client.submission(job.submission_id)
        html = self._frame.markup.fill("submitted", job=job, submission=submission, is_old=is_old(job))
        return html, gr.update(visible=False)

    def _answer(self, job_id: str, request: gr.Request, *, first: bool = False) -> tuple[Any, ...]:
        kept = ("" if first else gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.Timer(active=not first or bool(job_id)))
        client = self._frame.sessions.client_of
        return with_notice(self._frame, WHAT, lambda: self._job(client(request).job(job_id), request), kept)

    def _job(self, job: Job, request: gr.Request) -> tuple[Any, ...]:
        html = self._frame.markup.fill("job", job=job, steps=steps_of(job), is_admin=is_admin(self._frame, request))
        results = ""
        if job.status is JobState.COMPLETED:
            client = self._frame.sessions.client_of(request)
            results = self._results(client, job) + self._origin(client, job)
        is_live = not job.status.is_final
        cancel = gr.update(visible=is_live and not job.cancel_requested)
        return html, results, cancel, gr.update(visible=is_submittable(job)), gr.Timer(active=is_live)

    def _results(self, client: LeadersboardClient, job: Job) -> str:
        results = client.results(job.job_id)
        benchmark = next((one for one in client.benchmarks().items if one.name == job.benchmark), None)
        on_board = benchmark is not None and not job.trial
        board = client.leaderboard(benchmark=job.benchmark, entries="all", limit=MOST_ROWS) if on_board else None
        return self._frame.markup.fill(
            "results",
            results=results,
            benchmark_name=job.benchmark,
            metrics=_metrics(results, benchmark),
            measured=_measured(results),
            pictures=pictures_of(results),
            board=board,
            standing=board.row_of(job.job_id) if board else None,
        )

    def _origin(self, client: LeadersboardClient, job: Job) -> str:
        """Where the result comes from; of a trial nothing is noted."""
        return "" if job.trial else self._frame.markup.fill("provenance", provenance=client.provenance(job.job_id))


def _metrics(results: Results, benchmark: Benchmark | None) -> list[tuple[str, float, Metric | None]]:
    known = {metric.name: metric for metric in benchmark.metrics} if benchmark else {}
    own = {name: value for name, value in results.metrics.items() if not name.startswith(MEASURED)}
    ordered = [name for name in known if name in own] + sorted(name for name in own if name not in known)
    return [(name, own[name], known.get(name)) for name in ordered]


def _measured(results: Results) -> list[tuple[str, float]]:
    found = [(name, value) for name, value in results.metrics.items() if name.startswith(MEASURED)]
    return sorted((name.removeprefix(MEASURED), value) for name, value in found)


def is_submittable(job: Job) -> bool:
    """Whether a trial may be right as a job: it completed, or ran out of its minute."""
    return job.trial and (job.status is JobState.COMPLETED or job.failure_reason == "timeout")


def _asking(*, yes: bool) -> list[Any]:
    # Updates of the buttons "cancel", "sure" and "keep".
    return [gr.update(visible=one) for one in (not yes, yes, yes)]
