"""Caches boards for a few seconds: many viewers share one read, and most of them do not wait for it (PER-3).

Entries are the ledger's sealed results; MLflow is not asked. A completed job is on its board at once, and so is a
change of an entry's marks, because the ledger's counts of both make the cached board stale. A sealed result never
changes, so only new ones are read. Once a minute all are read, and records that retention removed leave the board.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from core.domain.errors import Unavailable
from core.domain.standings import Entry
from core.ports.entry_marks import EntryMarksPort
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.usecases.show_leaderboard import Ranked

FRESH_SECONDS = 3.0
"""Up to this age a cached board is returned as it is."""
KEPT_SECONDS = 60.0
"""Up to this age it is returned, too, while a new one is read in the background."""


class Counts(NamedTuple):
    """The ledger's counts for a board; each only grows."""

    completed: int
    marked: int

    def reach(self, other: Counts) -> bool:
        """Whether these include everything that the other ones counted."""
        return self.completed >= other.completed and self.marked >= other.marked


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """The entries read, when the read began, and the ledger's counts before it."""

    ranked: Ranked
    read_at: float
    counts: Counts
    entries: Mapping[str, Entry]
    """By job id."""
    whole_at: float
    """When all entries were last read."""


class BoardCache:
    """The entries of every board requested so far; lives as long as the app. Failures are not cached."""

    def __init__(
        self,
        results: ResultsPort,
        job_status: JobStatusPort,
        marks: EntryMarksPort,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._results = results
        self._job_status = job_status
        self._marks = marks
        self._clock = clock
        self._kept: dict[str, Kept] = {}
        self._reading: dict[str, asyncio.Task[Kept]] = {}

    async def ranked(self, benchmark: str) -> Ranked:
        """The entries of a benchmark that exists. Raises Unavailable."""
        kept = self._kept.get(benchmark)
        try:
            counts = await run_in_threadpool(self._counts, benchmark)
        except Unavailable:
            if kept is None:
                raise
            return kept.ranked  # sealed results do not change: only what is new is missing
        age = self._clock() - kept.read_at if kept else KEPT_SECONDS
        if kept is None or age >= KEPT_SECONDS or kept.counts != counts:
            return (await self._read_in_time(benchmark, counts)).ranked
        if age >= FRESH_SECONDS:
            self._begin(benchmark, counts)
        return kept.ranked

    def _counts(self, benchmark: str) -> Counts:
        return Counts(completed=self._job_status.completed(benchmark), marked=self._marks.revision(benchmark))

    async def _read_in_time(self, benchmark: str, counts: Counts) -> Kept:
        """The result of a read that began when the ledger had reached these counts."""
        while True:
            kept = await asyncio.shield(self._begin(benchmark, counts))
            if kept.counts.reach(counts):
                return kept

    def _begin(self, benchmark: str, counts: Counts) -> asyncio.Task[Kept]:
        """The current read of this board; starts one if there is none."""
        if benchmark not in self._reading:
            task = asyncio.create_task(self._read(benchmark, counts))
            self._reading[benchmark] = task
            task.add_done_callback(lambda done: self._end(benchmark, done))
        return self._reading[benchmark]

    def _end(self, benchmark: str, done: asyncio.Task[Kept]) -> None:
        del self._reading[benchmark]
        if not done.cancelled() and done.exception() is None:
            self._kept[benchmark] = done.result()

    async def _read(self, benchmark: str, counts: Counts) -> Kept:
        began = self._clock()
        kept = self._kept.get(benchmark)
        if kept is not None and began - kept.whole_at >= KEPT_SECONDS:
            kept = None
        known = kept.entries if kept else {}
        found = await run_in_threadpool(self._results.of_benchmark, benchmark, known=known)
        entries = {**known, **{job_id: one.entry for job_id, one in found.items()}}
        if kept and kept.counts.marked == counts.marked:
            marks = kept.ranked.marks
        else:
            marks = await run_in_threadpool(self._marks.of_benchmark, benchmark)
        is_same = kept is not None and not found and marks is kept.ranked.marks
        ranked = kept.ranked if kept and is_same else Ranked(entries=tuple(entries.values()), marks=marks)
        return Kept(
            ranked=ranked,
            read_at=began,
            counts=counts,
            entries=entries,
            whole_at=kept.whole_at if kept else began,
        )
