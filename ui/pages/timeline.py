"""Builds the timeline of a job's phases."""

from dataclasses import dataclass

from client.api.models import Job, JobState

PHASES = ("queued", "preparing", "running", "collecting", "recording")
SCORING = "scoring"
"""A phase before the last one; shown while a job is in it, since most benchmarks have none."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the timeline: its name and how it looks (done, now, todo, bad, stopped)."""

    name: str
    look: str


def steps_of(job: Job) -> list[Step]:
    """The job's phases, each done, current or to come, and how the job ended."""
    if not job.status.is_final:
        at = len(PHASES) - 1 if job.phase == SCORING else PHASES.index(job.phase) if job.phase in PHASES else 0
        looks = ["done" if number < at else "now" if number == at else "todo" for number in range(len(PHASES))]
        steps = _named(job, looks)
        if job.phase == SCORING:
            steps[at:] = [Step(name="Scoring", look="now"), Step(name=steps[at].name, look="todo")]
        return [*steps, Step(name="Done", look="todo")]
    if job.status is JobState.COMPLETED:
        return [*_named(job, ["done"] * len(PHASES)), Step(name="Completed", look="done")]
    # The failure's reason says where it stopped; only these phases are certain to be done.
    reached = 3 if job.started_at else 1
    looks = ["done" if number < reached else "todo" for number in range(len(PHASES))]
    end = Step(name="Failed", look="bad") if job.status is JobState.FAILED else Step(name="Cancelled", look="stopped")
    return [*_named(job, looks), end]


def _named(job: Job, looks: list[str]) -> list[Step]:
    # Of a trial nothing is recorded.
    names = [phase.capitalize() for phase in PHASES[:-1]] + ["Judging" if job.trial else "Recording"]
    return [Step(name=name, look=look) for name, look in zip(names, looks, strict=True)]
