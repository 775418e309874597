"""What a board costs when many look at it (PER-3)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.sealed_result import SealedResult
from core.domain.standings import Entry
from core.ports.results import Recorded
from core.usecases.show_leaderboard import MOST_RANKINGS
from gateway.live.board_cache import FRESH_SECONDS, KEPT_SECONDS, BoardCache, Counts, Kept
from tests import builders
from tests.sites import Site
from tests.twins.entry_marks import MemoryEntryMarks
from tests.twins.job_status import MemoryJobStatus
from tests.twins.results import MemoryResults

pytestmark = pytest.mark.unit

PATIENCE_SECONDS = 120.0


@dataclass
class HeldResults(MemoryResults):
    """Counts its searches, and holds each while `go` is not set."""

    ledger: MemoryJobStatus = field(default_factory=MemoryJobStatus)
    searches: int = 0
    away: bool = False
    entries_: list[Entry] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of_benchmark(self, benchmark: str, *, known: Collection[str] = ()) -> Mapping[str, Recorded]:
        with self.lock:
            self.searches += 1
        found = {entry.job_id: recorded_of(entry) for entry in self.entries_ if entry.job_id not in known}
        assert self.go.wait(PATIENCE_SECONDS)
        if self.away:
            raise Unavailable("The ledger")
        return found


def recorded_of(entry: Entry) -> Recorded:
    """The sealed result whose row this is."""
    shared = {name: getattr(entry, name) for name in ("job_id", "submission_id", "user_id", "run_id", "experiment_id")}
    result = SealedResult(
        **shared, benchmark="synthetic", metrics=entry.metrics, method=entry.method, ended_at=entry.finished_at
    )
    return Recorded(result=result, finished_at=entry.finished_at, sha256="")


@dataclass
class CountedJobs(MemoryJobStatus):
    """A ledger of which only the count of completed jobs matters."""

    count: int = 0
    away: bool = False

    def completed(self, benchmark: str) -> int:
        if self.away:
            raise Unavailable("The ledger")
        return self.count


class Viewers:
    """Viewers of one board, through a cache with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.results, self.jobs = HeldResults(), CountedJobs()
        self.marks = MemoryEntryMarks(self.jobs)
        self.results.go.set()
        self.cache = BoardCache(self.results, self.jobs, self.marks, clock=lambda: self.now)
        self.waiting, self._begin = 0, self.cache._begin
        self.cache._begin = self._counted  # type: ignore[method-assign]

    def _counted(self, benchmark: str, counts: Counts) -> asyncio.Task[Kept]:
        self.waiting += 1
        return self._begin(benchmark, counts)

    async def all_wait(self, viewers: int) -> None:
        """Let a held search go on once so many viewers wait for it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.waiting < viewers:  # noqa: ASYNC110 - the cache sets no event for tests
                await asyncio.sleep(0.001)
        self.results.go.set()

    async def look(self, viewers: int = 1) -> list[Sequence[Entry]]:
        found = await asyncio.gather(*(self.cache.ranked("b") for _ in range(viewers)))
        return [ranked.entries for ranked in found]

    async def searched(self, times: int) -> None:
        """Wait until so many searches have begun."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.results.searches < times:  # noqa: ASYNC110 - a thread counts them
                await asyncio.sleep(0.001)

    async def read(self) -> None:
        """Wait until the search in the background has ended."""
        await asyncio.gather(*self.cache._reading.values())


def test_a_hundred_viewers_cost_one_search() -> None:
    """PER-3: at once, and for some seconds after."""

    async def looked(board: Viewers) -> None:
        board.results.go.clear()
        await asyncio.gather(board.look(100), board.all_wait(100))
        board.now += FRESH_SECONDS / 2
        await board.look(100)

    board = Viewers()
    asyncio.run(looked(board))
    assert board.results.searches == 1


def test_an_old_board_is_answered_while_a_new_one_is_read() -> None:
    """PER-3: nobody waits for a search only because time has passed; the next viewer sees the new board."""

    async def looked(board: Viewers) -> None:
        await board.look()
        board.results.entries_ = [builders.entry()]
        board.now += FRESH_SECONDS + 1
        board.results.go.clear()
        assert await board.look() == [()]
        board.results.go.set()
        await board.read()
        assert len((await board.look())[0]) == 1
        board.results.entries_ = []
        board.now += KEPT_SECONDS + 1
        assert await board.look() == [()]

    asyncio.run(looked(Viewers()))


def test_a_completed_job_is_on_the_board_at_once() -> None:
    """SCO-4: also while an older search still goes on; without the ledger's count the cached board is answered."""

    async def looked(board: Viewers) -> None:
        await board.look()
        board.now += FRESH_SECONDS + 1
        board.results.go.clear()
        await board.look()
        await board.searched(2)  # the older one, which has not seen the job
        board.results.entries_, board.jobs.count = [builders.entry()], 1
        asyncio.get_running_loop().call_later(0.01, board.results.go.set)
        assert len((await board.look())[0]) == 1
        board.jobs.away = True
        assert len((await board.look())[0]) == 1

    asyncio.run(looked(Viewers()))


def test_failures_are_not_kept() -> None:
    """All who waited get the error; the next one asks again, and what was kept is answered as long as it may be."""

    async def looked(board: Viewers) -> None:
        board.results.away = True
        board.results.go.clear()
        viewers = [board.cache.ranked("b") for _ in range(5)]
        *answers, _none = await asyncio.gather(*viewers, board.all_wait(5), return_exceptions=True)
        assert [type(error) for error in answers] == [Unavailable] * 5
        assert board.results.searches == 1
        board.results.away = False
        await board.look()
        board.results.away = True
        board.now += FRESH_SECONDS + 1
        assert await board.look() == [()]

    asyncio.run(looked(Viewers()))


def test_a_viewer_who_leaves_ends_no_search() -> None:
    """The search belongs to all who wait for it."""

    async def looked(board: Viewers) -> None:
        board.results.go.clear()
        first, second = asyncio.create_task(board.look()), asyncio.create_task(board.look())
        await board.all_wait(2)
        first.cancel()
        assert await second == [()]
        assert board.results.searches == 1

    asyncio.run(looked(Viewers()))


@pytest.mark.slow
def test_pages_and_metrics_of_a_large_board_cost_few_searches_and_bounded_memory(tmp_path: Path) -> None:
    """PER-3: 5,000 runs are answered from the cache; rankings are made once, and not without end."""
    results = HeldResults()
    results.go.set()
    results.entries_ = [
        builders.entry(number, number / 5000, metrics={"image_auc": number / 5000, f"m{number % 100}": 1.0})
        for number in range(5000)
    ]
    with closing(Site(tmp_path, ports={"results": results})) as site:
        client = site.as_("ada")
        for number in range(40):
            asked = {"limit": 50, "offset": 50 * number, "entries": "all"} | (
                {"metric": f"m{number}"} if number % 2 else {}
            )
            assert client.get("/leaderboard", params=asked).status_code == 200
        for number in range(MOST_RANKINGS):
            client.get("/leaderboard", params={"metric": f"m{number}"})
        kept = site.state.board_cache._kept["synthetic"]
    assert len(kept.ranked._made) <= MOST_RANKINGS
    assert results.searches < 20  # of more than a hundred looks, each of which may find the board a few seconds old
