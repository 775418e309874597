"""A tracking server's pages and answers in memory: the twin of MlflowReads for tests, held to the same contract."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.domain.errors import Unavailable
from core.domain.tracking_call import TrackingCall
from core.ports.tracking_reads import TrackingAnswer
from tests.twins.tracking import MemoryTracking


@dataclass
class MemoryTrackingReads:
    """TrackingReadsPort over what a MemoryTracking holds; `calls` are those that reached it."""

    tracking: MemoryTracking
    calls: list[TrackingCall] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    """JSON by the path of a call; of any other an empty object."""
    tags: dict[str, str] = field(default_factory=dict)
    """Forged hints, by run id."""
    media_type: str = "application/json"
    status: int = 200

    def experiments(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        self._check()
        return {name: {"experiment_id": name, "name": name, "lifecycle_stage": "active"} for name in names}

    def runs(self, run_ids: Collection[str], experiment_ids: Collection[str]) -> Mapping[str, str | None]:
        self._check()
        known = {ref.run_id: (ref.experiment_id, job_id) for job_id, (ref, _result) in self.tracking.results.items()}
        return {
            run_id: self.tags.get(run_id, known[run_id][1])
            for run_id in run_ids
            if run_id in known and known[run_id][0] in experiment_ids
        }

    @contextmanager
    def read(self, call: TrackingCall) -> Iterator[TrackingAnswer]:
        self._check()
        self.calls.append(call)
        text = json.dumps(self.answers.get(call.path, {})).encode()
        yield TrackingAnswer(status=self.status, media_type=self.media_type, pieces=iter((text,)), size_bytes=len(text))

    def _check(self) -> None:
        if self.tracking.away:
            raise Unavailable("The tracking server", "it is away")
