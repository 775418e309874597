"""Answers about the condition of benchmarks."""

from __future__ import annotations

from pydantic import Field

from core.domain.benchmark_check import Condition
from gateway.schemas.jobs import Answer


class FindingView(Answer):
    """One thing that is wrong in a benchmark's folder, and what to do about it."""

    path: str = Field(description="Below the benchmark's folder.")
    line: int | None = Field(description="Of benchmark.yaml, counted from 1.")
    rule: str
    is_note: bool = Field(description="Whether it is only worth knowing.")


class BenchmarkCheckView(Answer):
    """The condition of one benchmark.

    `good`; `faulty`: jobs are taken, and its data has faults; `broken`: its benchmark.yaml is refused, so it is listed
    nowhere else and takes no jobs.
    """

    name: str
    condition: Condition
    findings: list[FindingView] = Field(description="At most 1,000.")
    more: int = Field(description="How many more findings there are.")
    pictures: int = Field(description="How many pictures and masks were read.")
    unseen: str = Field(description="Why not everything was looked at; empty if it was.")


class BenchmarkCheckList(Answer):
    items: list[BenchmarkCheckView]
