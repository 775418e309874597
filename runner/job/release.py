"""Ends this runner's hold on a job: with its final state, back into the queue, or left to the next runner."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from core.domain.errors import LeadersboardError, LeaseLost, NotFound, RunLost, Unavailable
from core.domain.job import MAX_ATTEMPTS, Claim, Job, JobState, Outcome
from core.domain.sealed_result import SealedResult
from core.domain.verdict import FailureReason
from runner.dead_letters import DeadLetterWriter
from runner.job.attempt import Attempt
from runner.job.context import JobContext
from runner.job.signals import ResultWaits
from runner.job_log.final_line import last_lines, say_end
from runner.run_folder import RunFolder

ROOM_SECONDS = 5.0
"""Pause before a run that found its disk full or not writable is taken up again."""
FOREIGN_SECONDS = 1.0
"""Pause between two looks whether the site's own folder of logs is back."""
NO_STORAGE = "its log or its folder could not be written"

log = structlog.get_logger(__name__)


def finish(attempt: Attempt, outcome: Outcome, result: SealedResult | None = None) -> None:
    """Writes the log's last lines, then the final state with the result: a client that sees it finds the rest."""
    attempt.lease.confirm()
    attempt.job_log.end_output()
    last = last_lines(attempt.job, outcome)
    attempt.job_log.say_once(*last)
    _await_own_logs(attempt)
    attempt.job_log.say_once(*last)  # in the file that readers find
    _settle(attempt, lambda: attempt.context.ports.job_status.finish(attempt.claim, outcome, result))
    for path in attempt.context.job_root.glob(f"{attempt.job.job_id}-*"):  # those of its earlier runs, too
        RunFolder(path=path).remove()
    log.info("finished", job_id=attempt.job.job_id, state=outcome.state, reason=outcome.reason)


def finish_without_class(attempt: Attempt) -> None:
    """Fails and refunds a job whose class is no longer in the settings of any runner that could run it.

    A run goes on with the settings of its launch, but one launched by an older version has stored none.
    """
    attempt.context.engine.remove_leftovers(attempt.job.job_id, claim=attempt.folder.claim)
    message = (
        f"The run was ended because this site no longer has a resource class {attempt.job.resource_class!r}. "
        "It was not your submission's fault. Post the job again with another class."
    )
    finish(attempt, Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message=message, refund=True))


def hand_over(attempt: Attempt) -> None:
    """A begun run goes on by itself. A job that had not begun goes back to the queue, with no attempt used up."""
    context = attempt.context
    if context.storage_faults.now():  # the run's folder cannot be trusted
        _settle(attempt, lambda: let_go(context, attempt.claim))
    elif attempt.launched:
        attempt.job_log.say("This runner is stopping; the run goes on and another runner takes it over.")
        _settle(attempt, lambda: context.ports.job_status.leave(attempt.claim))
    else:
        attempt.job_log.say("This runner is stopping; another one runs the job.")
        hand_back(attempt, count_attempt=False, why="its runner was stopped before the run had begun")


def hand_back(attempt: Attempt, *, count_attempt: bool, why: str) -> None:
    """Puts the job back into the queue, or ends it if no runner would find it there."""
    if not _is_run_somewhere(attempt):
        finish_without_class(attempt)
        return
    ledger = attempt.context.ports.job_status
    _settle(attempt, lambda: ledger.hand_back(attempt.claim, count_attempt=count_attempt, why=why))
    attempt.folder.remove()


def leave_result(attempt: Attempt, waits: ResultWaits) -> None:
    """Leaves the result on disk until the tracking server answers.

    Keeps a dead letter if the server answers but takes no result: that may not end by itself.
    """
    attempt.job_log.say_once("The tracking server does not answer. The result is kept and recorded when it does.")
    ports = attempt.context.ports
    _settle(attempt, lambda: ports.job_status.leave(attempt.claim, until_told=True))
    try:
        ports.tracking.check()
    except Unavailable:
        return
    DeadLetterWriter(dead_letters=ports.dead_letters).keep("record result", waits.__cause__ or waits, attempt.job)


def fail(attempt: Attempt, error: Exception) -> None:
    """Handles a failure of the platform; a failure because another runner has taken the job is none."""
    context, job = attempt.context, attempt.job
    attempt.lease.confirm()
    expected = isinstance(error, LeadersboardError)
    log.warning("platform failed", job_id=job.job_id, error=str(error), exc_info=not expected)
    DeadLetterWriter(dead_letters=context.ports.dead_letters).keep("run job", error, job)
    if context.storage_faults.hold_up(job.job_id, error):  # nothing is thrown away until an admin has mended the disk
        context.stopping.wait(ROOM_SECONDS)
        _settle(attempt, lambda: let_go(context, attempt.claim))
        return
    if isinstance(error, RunLost):
        attempt.job_log.say(str(error))
    if isinstance(error, Unavailable) and attempt.launched:  # the run may go on: it is taken over, or found lost
        attempt.lease.retrying(lambda: context.ports.job_status.presume_dead(job.job_id, attempt.claim.mark))
        return
    _run_again(attempt, _why_again(error))


def put_off(context: JobContext, claim: Claim, why: str) -> None:
    """Gives a job back that was not begun: without storage for its log or folder no run is taken over, either."""
    log.warning("no storage for a job", job_id=claim.job_id, error=why)
    context.stopping.wait(ROOM_SECONDS)
    let_go(context, claim)


def let_go(context: JobContext, claim: Claim) -> Job:
    """Uses up no attempt: a job with a run is left to this host, any other goes back into the queue."""
    ledger = context.ports.job_status
    try:
        sandbox = ledger.get(claim.job_id).sandbox
    except NotFound as error:
        raise LeaseLost(f"The ledger does not know job {claim.job_id} any more.") from error
    return ledger.leave(claim) if sandbox else ledger.hand_back(claim, count_attempt=False, why=NO_STORAGE)


def _run_again(attempt: Attempt, why: str) -> None:
    """A failing platform gives no verdict: runs the job again, or ends it and gives the user's quota back."""
    if attempt.job.attempt < MAX_ATTEMPTS:
        attempt.job_log.say(f"The platform failed in attempt {attempt.job.attempt}; the job is run again.")
        hand_back(attempt, count_attempt=True, why=why)
        return
    message = f"The platform failed {MAX_ATTEMPTS} times and gave up. It was not your submission's fault."
    finish(attempt, Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message=message, refund=True))


def _settle(attempt: Attempt, call: Callable[[], Job]) -> None:
    """Repeats a call by which the claim ends. If that cancelled the job, its log says so."""
    job = attempt.lease.retrying(call)
    if job.state is JobState.CANCELLED:
        say_end(attempt.context.ports.storage.log_path(job.job_id).parent, job)


def _await_own_logs(attempt: Attempt) -> None:
    """Waits while another folder stands in for the site's, e.g. because that is not mounted: logs there would be lost.

    Raises LeaseLost or HandOver.
    """
    while attempt.context.ports.folders.is_foreign("logs"):
        attempt.lease.check()
        attempt.context.stopping.wait(FOREIGN_SECONDS)


def _is_run_somewhere(attempt: Attempt) -> bool:
    """Whether a runner has the job's class: in a queue to which none listens the job would wait for ever."""
    name, context = attempt.job.resource_class, attempt.context
    return name in context.resource_classes or any(
        seen.has_class(name) for seen in attempt.lease.retrying(context.ports.runners.runners) if not seen.is_silent
    )


def _why_again(error: Exception) -> str:
    """Why a failed attempt is followed by another one, in words that a job's log may show."""
    if isinstance(error, RunLost):
        return f"the engine lost its run ({str(error).rstrip('.')})"
    if isinstance(error, Unavailable):
        return f"{error.part[:1].lower()}{error.part[1:]} did not answer as it should"
    if isinstance(error, OSError):
        return f"a disk of the platform did not work ({error.strerror})"
    return "a part of the platform failed"
