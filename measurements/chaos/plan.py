"""A chaos run's plan of jobs and faults, made from its seed, and its report."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from measurements.chaos import limits
from tests.twin_runner import GOOD

USERS = 5
LINES = 20
KINDS = (*["good"] * 8, *["failing"] * 2, *["cancelled"] * 2, "lengthy", "lengthy", "wordy", "unfit")
FIRST_FAULT_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 6.0
"""Longest pause between two faults."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """One job that a user posts at a given time."""

    number: int
    at_seconds: float
    user: str
    kind: str
    program: str

    @property
    def resource_class(self) -> str:
        return limits.CLASS if self.kind in {*limits.STRICTLY, "unfit"} else limits.ANYWHERE.name

    @property
    def files(self) -> dict[str, str]:
        unfit = {"requirements.txt": f"left-pad=={self.number}.0"} if self.kind == "unfit" else {}
        return {"main.py": self.program} | unfit


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The same seed gives the same jobs and faults in the same order; their relative timing depends on the machine."""

    seconds: float
    jobs: int
    seed: int
    engine: bool = False
    """Also restart an inner engine of its own, which kills its runs."""

    def wishes(self) -> Iterator[Wish]:
        """The jobs, evenly over the time, with random users and kinds."""
        choice = random.Random(self.seed)
        for number in range(self.jobs):
            kind = choice.choice(KINDS)
            yield Wish(
                number=number, at_seconds=self.seconds * number / self.jobs, user=f"user{choice.randrange(USERS)}",
                kind=kind, program=program(kind, number, choice),
            )  # fmt: skip

    def faults(self, names: list[str]) -> Iterator[tuple[float, str, random.Random]]:
        """Endless faults: seconds to wait before each, its name, and a random generator for its details."""
        choice = random.Random(f"faults {self.seed}")
        pause = FIRST_FAULT_SECONDS
        while True:
            yield pause, choice.choice(names), choice
            pause = choice.uniform(1, LONGEST_PAUSE_SECONDS)


def program(kind: str, number: int, choice: random.Random) -> str:
    """A program that prints numbered lines for up to four seconds, then ends as its kind does.

    Where its settings decide its end, it says them first, and its lines take a second.
    """
    differs = kind in limits.STRICTLY
    pause = choice.uniform(0.01, 0.2) / (4 if differs else 1)
    end = {
        "good": GOOD, "failing": "raise SystemExit(3)\n", "cancelled": "time.sleep(30)\n" + GOOD, "unfit": "",
        "lengthy": limits.LENGTHY, "wordy": limits.WORDY,
    }[kind]  # fmt: skip
    return (
        f"import time  # {number}\n{limits.TELL if differs else ''}for n in range({LINES}):\n"
        f"    print('line', n, flush=True)\n    time.sleep({pause:.3f})\n{end}"
    )


@dataclass(kw_only=True)
class Report:
    """The injected faults and the findings; every list but `letters` must be empty."""

    jobs: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    torn_logs: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    """Dead letters about jobs that used up an attempt: the reason."""

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.untrue, *self.torn_logs, *self.left_over]


def table(plan: Plan, report: Report) -> str:
    faults = ", ".join(f"{count} × {name}" for name, count in sorted(report.faults.items()) if count)
    states = ", ".join(f"{count} {state}" for state, count in sorted(report.states.items()))
    return (
        "| seed | minutes | jobs | ended as | faults | lost | doubled | untrue state | torn log | left over |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
        f"| {plan.seed} | {plan.seconds / 60:.1f} | {report.jobs} | {states} | {sum(report.faults.values())}: {faults} "
        f"| {len(report.lost)} | {len(report.doubled)} | {len(report.untrue)} | {len(report.torn_logs)} "
        f"| {len(report.left_over)} |"
    )
