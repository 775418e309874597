"""A page of MLflow's asks for the same runs many times; within seconds each is asked of MLflow once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.live.known_runs import SECONDS, KnownRuns
from tests.twins.tracking import MemoryTracking
from tests.twins.tracking_reads import MemoryTrackingReads

pytestmark = pytest.mark.unit


@dataclass
class CountedReads(MemoryTrackingReads):
    """Notes what is asked; every run that is asked for belongs to job `j`."""

    tracking: MemoryTracking = field(default_factory=MemoryTracking)
    asked: list[object] = field(default_factory=list)

    def experiments(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        self.asked.append(list(names))
        return super().experiments(names)

    def runs(self, run_ids: Collection[str], experiment_ids: Collection[str]) -> Mapping[str, str | None]:
        self.asked.append((list(run_ids), list(experiment_ids)))
        return dict.fromkeys(run_ids, "j")


def test_only_what_is_not_known_is_asked() -> None:
    """A run is known for the experiments that it was looked for in, and for these alone."""
    reads = CountedReads()
    known = KnownRuns(reads)
    assert known.runs(["a"], ["1"]) == {"a": "j"}
    assert known.runs(["a", "b"], ["1"]) == {"a": "j", "b": "j"}
    known.runs(["a"], ["2"])
    assert list(known.experiments(["synthetic"])) == list(known.experiments(["synthetic"])) == ["synthetic"]
    assert reads.asked == [(["a"], ["1"]), (["b"], ["1"]), (["a"], ["2"]), ["synthetic"]]


def test_it_is_asked_again_after_some_seconds() -> None:
    reads, now = CountedReads(), [0.0]
    known = KnownRuns(reads, clock=lambda: now[0])
    for moment in (0.0, SECONDS - 1, SECONDS):
        now[0] = moment
        known.runs(["a"], ["1"])
        known.experiments(["synthetic"])
    assert len(reads.asked) == 4
