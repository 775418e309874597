"""Routes for boards, the benchmarks they rank, and the resource classes of runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from core.domain.benchmark import Direction
from core.domain.board_rows import By, Entries
from core.domain.costs import Cost
from core.usecases.show_leaderboard import BoardQuery, ShowLeaderboard
from core.wiring import Ports
from gateway.board_export import MEDIA_TYPES, ExportFormat, written
from gateway.dependencies import (
    BoardCachePart,
    CurrentAdmin,
    CurrentUser,
    OpenFilesPart,
    PortsPart,
    SettingsPart,
    TrackingWatchPart,
)
from gateway.live.board_cache import BoardCache
from gateway.live.open_files import BoundedStream
from gateway.routes.artifacts import HeldOpen
from gateway.schemas.benchmark_check import BenchmarkCheckList, BenchmarkCheckView
from gateway.schemas.board_history import HistoryView
from gateway.schemas.jobs import BenchmarkList, BenchmarkView, ResourceClassList, ResourceClassView
from gateway.schemas.results import BoardView
from gateway.schemas.weights import WeightsList, WeightsView

router = APIRouter(tags=["board"])

Name = Annotated[str | None, Query(max_length=200)]
_EXPORTS: dict[str, Any] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/json": {"schema": {"$ref": "#/components/schemas/BoardView"}},
}


def _query(
    *,
    metric: Name = None,
    direction: Annotated[Direction | None, Query(description="For a metric that the benchmark does not name.")] = None,
    entries: Annotated[Entries, Query(description="Of each user the best or the latest, or all.")] = Entries.BEST,
    category: Annotated[
        str | None, Query(max_length=200, description="Rank by the values in this category; empty: over all.")
    ] = None,
    by: Annotated[By, Query(description="The value, or the mean of the ranks in all categories.")] = By.VALUE,
    cost: Annotated[Cost, Query(description="What the Pareto front sets against the value.")] = Cost.TIME,
) -> BoardQuery:
    return BoardQuery(metric=metric, direction=direction, entries=entries, category=category, by=by, cost=cost)


QueryPart = Annotated[BoardQuery, Depends(_query)]


@router.get("/leaderboard")
async def leaderboard(
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    cache: BoardCachePart,
    watch: TrackingWatchPart,
    query: QueryPart,
    benchmark: Name = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> BoardView:
    """Completed jobs ranked by one metric, the benchmark's own or any that runs report.

    Each user's best or latest job, or all. Where results have values for categories, also by one of them (`category`)
    or by the mean rank over all (`by`). Figures and ranks are those that the platform recorded when
    each run ended; each row's `tracking` says whether its run in MLflow still agrees.
    """
    usecase = await _showing(ports, cache, benchmark or settings.default_benchmark)
    board = await run_in_threadpool(usecase, query, limit=limit, offset=offset)
    return BoardView.of(board, user, settings.mlflow_url, tracking=watch.states(board.benchmark.name))


@router.get("/leaderboard/export", response_class=StreamingResponse, responses={200: {"content": _EXPORTS}})
async def export(
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    cache: BoardCachePart,
    watch: TrackingWatchPart,
    open_files: OpenFilesPart,
    stack: HeldOpen,
    query: QueryPart,
    benchmark: Name = None,
    format: ExportFormat = ExportFormat.CSV,  # noqa: A002 the name of the parameter in the address
) -> StreamingResponse:
    """All rows of a board as a file: CSV for spreadsheets, or JSON as `GET /leaderboard` answers it.

    In CSV no text begins a formula: an apostrophe stands before `=`, `+`, `-` or `@`. Numbers are written in full.
    """
    stack.enter_context(open_files.one_of(user.user_id))
    usecase = await _showing(ports, cache, benchmark or settings.default_benchmark)
    board = await run_in_threadpool(usecase, query)
    name = board.benchmark.name
    pieces = written(format, board, user, settings.mlflow_url, watch.states(name))
    headers = {"Content-Disposition": f'attachment; filename="leaderboard-{name}.{format}"'}
    return BoundedStream(pieces, media_type=MEDIA_TYPES[format], headers=headers)


@router.get("/leaderboard/history")
async def history(
    _user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    cache: BoardCachePart,
    benchmark: Name = None,
    metric: Name = None,
    direction: Annotated[Direction | None, Query(description="For a metric that the benchmark does not name.")] = None,
    category: Name = None,
) -> HistoryView:
    """How the best score grew: each job that was better than all before it, oldest first; the last 500 of them.

    What is hidden, disqualified or a baseline now counts as if it had never been there.
    """
    usecase = await _showing(ports, cache, benchmark or settings.default_benchmark)
    query = BoardQuery(metric=metric, direction=direction, category=category)
    return HistoryView.of(await run_in_threadpool(usecase.history, query))


async def _showing(ports: Ports, cache: BoardCache, benchmark: str) -> ShowLeaderboard:
    """The use case on the entries of this benchmark. Raises NotFound, Unavailable."""
    found = await run_in_threadpool(ports.benchmarks.get, benchmark)
    return ShowLeaderboard(benchmark=found, ranked=await cache.ranked(found.name))


@router.get("/benchmarks")
def benchmarks(_user: CurrentUser, ports: PortsPart, settings: SettingsPart) -> BenchmarkList:
    """The benchmarks of this site; first, if it is there, the one that is meant where a job or a board names none."""
    listed = sorted(
        ports.benchmarks.list_benchmarks(), key=lambda one: (one.name != settings.default_benchmark, one.name)
    )
    return BenchmarkList(items=[BenchmarkView.of(item) for item in listed])


@router.get("/benchmarks/check")
def check_benchmarks(_admin: CurrentAdmin, ports: PortsPart, benchmark: Name = None) -> BenchmarkCheckList:
    """For admins: what is wrong with the benchmarks' folders, each fault with its path and what to do.

    Without `benchmark`: `benchmark.yaml` and the folders of all. With it also every picture and mask, for at most 20
    seconds; `scripts/benchmark` looks for longer. One check runs at a time; another is answered 409.
    """
    checks = ports.benchmarks.check(benchmark or "")
    return BenchmarkCheckList(items=[BenchmarkCheckView.model_validate(check) for check in checks])


@router.get("/weights")
def weights(_user: CurrentUser, ports: PortsPart) -> WeightsList:
    """The weights that every run finds in `/weights`, sizes in bytes, and what a submission writes to use each."""
    return WeightsList(items=[WeightsView.model_validate(one) for one in ports.weights.list_weights()])


@router.get("/resource-classes")
def resource_classes(_user: CurrentUser, settings: SettingsPart) -> ResourceClassList:
    """The resource classes: what a run may use; sizes in bytes, times in seconds."""
    items = [ResourceClassView.model_validate(item) for item in settings.resource_classes]
    return ResourceClassList(items=items, default=items[0].name)
