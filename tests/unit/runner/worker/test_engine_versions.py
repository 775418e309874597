"""An engine that is too old begins no run, unless an admin accepts it."""

from __future__ import annotations

import pytest

from core.domain.errors import Unavailable
from core.domain.runners import RunnerState
from runner.worker.engine_versions import FRESH_SECONDS, Floors
from tests.unit.runner.worker.post import Post

pytestmark = pytest.mark.unit


def test_a_runner_on_an_old_engine_takes_none(post: Post) -> None:
    """Until the engine is updated; a runner that cannot ask it takes none, either."""
    versions = {"Engine": "29.5.1", "runc": "1.1.15+ds1"}
    now = 0.0

    def asked() -> dict[str, str]:
        if not versions:
            raise Unavailable("The sandbox engine", "it is away")
        return versions

    floors = Floors(versions=asked, allowed=False, clock=lambda: now)
    post.availability.too_old = floors.refusal
    post.run_next()
    state, reason = post.availability.state()
    assert (post.ran, state) == ([], RunnerState.REFUSED)
    assert "runc 1.1.15+ds1 (lowest: 1.3.6)" in (reason or "")
    assert "ALLOW_OLD_ENGINE" in (reason or "")
    versions["runc"], now = "1.3.6", FRESH_SECONDS
    post.run_next()
    assert post.ran == [post.job_id]
    versions.clear()
    now = 2 * FRESH_SECONDS
    assert post.availability.state()[0] is RunnerState.NO_ENGINE


def test_an_admin_may_accept_an_old_engine(post: Post) -> None:
    """ALLOW_OLD_ENGINE: by a setting, and by nothing else."""
    post.availability.too_old = Floors(versions=dict, allowed=True).refusal
    post.run_next()
    assert post.ran == [post.job_id]
