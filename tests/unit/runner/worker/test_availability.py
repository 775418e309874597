"""Which runner takes new jobs: what admins wish, disks, the canary, the engine."""

from __future__ import annotations

import pytest

from core.domain.folders import FolderState
from core.domain.runners import RunnerState, Wish
from tests.unit.runner.worker.post import Post

pytestmark = pytest.mark.unit


def test_a_ready_runner_takes_the_job(post: Post) -> None:
    assert post.availability.state() == (RunnerState.READY, None)
    post.run_next()
    assert post.ran == [post.job_id]


@pytest.mark.parametrize("target", ["box:1", "here"])
@pytest.mark.parametrize(("wish", "state"), [(Wish.PAUSE, "paused"), (Wish.DRAIN, "drained")])
def test_a_paused_runner_takes_none_until_it_is_resumed(post: Post, target: str, wish: Wish, state: str) -> None:
    """Issue 5: by its own name or its host's; the job waits meanwhile."""
    post.runners.set_wish(target, wish)
    post.run_next()
    assert post.ran == []
    assert post.availability.state()[0] == state
    post.runners.set_wish(target, Wish.RUN)
    post.run_next()
    assert post.ran == [post.job_id]


def test_a_pause_ends_with_its_process(post: Post) -> None:
    """A container that is started again has the same names and numbers; a host's pause holds for it, too."""
    post.runners.set_wish("box:1", Wish.PAUSE)
    post.availability.begin()
    assert post.availability.state()[0] is RunnerState.READY
    post.runners.set_wish("here", Wish.PAUSE)
    post.availability.begin()
    assert post.availability.state()[0] is RunnerState.PAUSED


def test_a_drained_runner_says_so_once_its_jobs_have_ended(post: Post) -> None:
    post.runners.set_wish("box:1", Wish.DRAIN)
    with post.availability.holding("j"):
        assert post.availability.state()[0] is RunnerState.DRAINING
    assert post.availability.state()[0] is RunnerState.DRAINED


def test_a_runner_that_its_canary_refuses_takes_none(post: Post) -> None:
    """BOX-12: and says why."""
    post.availability.refusal = "the network is open"
    post.run_next()
    assert (post.ran, post.availability.state()) == ([], (RunnerState.REFUSED, "the network is open"))


def test_a_nearly_full_disk_begins_no_run(post: Post) -> None:
    """RUN-7: jobs wait, nothing crashes."""
    post.states = [FolderState(name="logs", path="/logs", free_bytes=10**9)]
    post.availability.min_free_bytes = 10**18
    post.run_next()
    state, reason = post.availability.state()
    assert (post.ran, state) == ([], RunnerState.DISK_LOW)
    assert "logs" in (reason or "")


def test_an_engine_away_is_told(post: Post) -> None:
    post.engine.away = True
    assert post.availability.state()[0] is RunnerState.NO_ENGINE
