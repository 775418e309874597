"""The timeline of a job: what is over, what goes on, what is to come, and how it ended."""

from dataclasses import dataclass

from client.models import Job, JobState

PHASES = ("queued", "preparing", "running", "collecting", "recording")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the timeline: its name and how it looks (done, now, todo, bad, stopped)."""

    name: str
    look: str


def steps_of(job: Job) -> list[Step]:
    """The timeline: what is over, what goes on, what is to come, and how it ended."""
    if not job.status.is_final:
        at = PHASES.index(job.phase) if job.phase in PHASES else 0
        looks = ["done" if place < at else "now" if place == at else "todo" for place in range(len(PHASES))]
        return [*_named(looks), Step(name="Done", look="todo")]
    if job.status is JobState.COMPLETED:
        return [*_named(["done"] * len(PHASES)), Step(name="Completed", look="done")]
    # Where it stopped is in the reason; of the steps only these are certain.
    reached = 3 if job.started_at else 1
    looks = ["done" if place < reached else "todo" for place in range(len(PHASES))]
    end = Step(name="Failed", look="bad") if job.status is JobState.FAILED else Step(name="Cancelled", look="stopped")
    return [*_named(looks), end]


def _named(looks: list[str]) -> list[Step]:
    return [Step(name=phase.capitalize(), look=look) for phase, look in zip(PHASES, looks, strict=True)]
