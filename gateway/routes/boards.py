"""Boards, the benchmarks they rank, and the resource classes a run may have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query

from core.usecases.show_leaderboard import ShowLeaderboard
from gateway.auth import CurrentUser
from gateway.parts import PortsPart, SettingsPart
from gateway.schemas import BenchmarkList, BenchmarkView, BoardView, ResourceClassList, ResourceClassView

router = APIRouter(tags=["board"])

Name = Annotated[str | None, Query(max_length=200)]


class Entries(StrEnum):
    """Which rows of a board to show."""

    BEST = "best"
    ALL = "all"


@router.get("/leaderboard")
def leaderboard(
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    benchmark: Name = None,
    metric: Name = None,
    entries: Entries = Entries.BEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> BoardView:
    """Finished runs ranked by one metric: each user's best, or all."""
    usecase = ShowLeaderboard(
        benchmarks=ports.benchmarks, tracking=ports.tracking, default_benchmark=settings.default_benchmark
    )
    board = usecase(benchmark=benchmark, metric=metric, all_entries=entries is Entries.ALL, limit=limit, offset=offset)
    return BoardView.of(board, user, settings.mlflow_url)


@router.get("/benchmarks")
def benchmarks(_user: CurrentUser, ports: PortsPart) -> BenchmarkList:
    """What this site measures."""
    return BenchmarkList(items=[BenchmarkView.of(item) for item in ports.benchmarks.list_benchmarks()])


@router.get("/resource-classes")
def resource_classes(_user: CurrentUser, settings: SettingsPart) -> ResourceClassList:
    """What a run may use; sizes in bytes, times in seconds."""
    items = [ResourceClassView.model_validate(item) for item in settings.resource_classes]
    return ResourceClassList(items=items, default=items[0].name)
