"""What an app's requests share: made when the app starts, in one place, and ended with it."""

from __future__ import annotations

import ast
from contextlib import closing
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.sites import Site

pytestmark = pytest.mark.unit


def test_no_request_makes_a_shared_part(site: Site) -> None:
    """Two first requests at once would make two of it."""
    job_id = site.run()
    before = site.state
    for path in ("/health/ready", "/leaderboard", f"/jobs/{job_id}/status", f"/jobs/{job_id}/logs/stream", "/metrics"):
        assert site.as_("root").get(path).status_code == 200
    assert site.state is before
    assert set(site.app.state._state) == {"gateway"}


def test_no_shared_part_is_replaced(site: Site) -> None:
    with pytest.raises(FrozenInstanceError):
        site.state.ports = site.ports  # type: ignore[misc]


def test_what_runs_in_the_background_ends_with_the_app(tmp_path: Path) -> None:
    """Log streams end, so that their clients reconnect, and no comparison with MLflow begins any more."""
    with closing(Site(tmp_path)) as site:
        state = site.state
        state.tracking_watch.states("synthetic")
        state.tracking_watch.settle()
    assert state.log_hub._closed
    with pytest.raises(RuntimeError, match="after shutdown"):
        state.tracking_watch.states("other")


def test_no_route_starts_a_thread_or_keeps_a_lifespan() -> None:
    """Background work is in gateway/background/, and gateway/app.py starts it."""
    for path in (REPOSITORY / "gateway" / "routes").glob("*.py"):
        found = list(ast.walk(ast.parse(path.read_text())))
        imported = {name.name for node in found if isinstance(node, ast.Import) for name in node.names}
        imported |= {str(node.module) for node in found if isinstance(node, ast.ImportFrom)}
        assert not imported & {"threading", "concurrent.futures", "multiprocessing"}, path
        assert "lifespan" not in {node.arg for node in found if isinstance(node, ast.keyword)}, path
