"""What a doorbell does: one job is claimed and run, or the bell is passed on."""

from __future__ import annotations

import pytest

from core.domain.errors import Unavailable
from core.domain.folders import FolderState
from core.domain.job import MAX_ATTEMPTS, Claim
from core.domain.runners import RunnerState, Wish
from tests.unit.runner.worker.post import Post

pytestmark = pytest.mark.unit


def test_a_paused_runner_still_takes_over_runs_of_its_host(post: Post) -> None:
    """A pause concerns new jobs: a run that lost its runner is not left alone."""
    claim = post.jobs.claim("small", worker="dead", lease_seconds=0.0, running_limit=1, host="here")
    assert claim is not None
    post.jobs.note(claim, sandbox="run")
    post.jobs.sweep(max_attempts=MAX_ATTEMPTS, host="here")
    post.runners.set_wish("here", Wish.PAUSE)
    post.run_next()
    assert post.ran == [claim.job_id]


def test_a_bell_heard_by_a_paused_runner_is_passed_on(post: Post) -> None:
    """Messages go to any worker of the class: one that takes none must not swallow what another waits for."""
    post.runners.set_wish("box:1", Wish.PAUSE)
    post.run_next()
    assert post.queue.silent("small")  # nobody else is there: the sweeper rings later, and nothing spins
    post.another(state="paused")
    post.run_next()
    assert post.queue.silent("small")
    post.another()
    post.run_next()
    assert not post.queue.silent("small")


@pytest.mark.parametrize("lost_its_runner", [False, True])
def test_a_folder_that_cannot_be_used_begins_no_run_and_takes_none_over(post: Post, *, lost_its_runner: bool) -> None:
    """Its state names the folder; the job keeps its attempts and is run when the folder is back."""
    if lost_its_runner:
        claim = post.jobs.claim("small", worker="dead", lease_seconds=30, running_limit=1, host="here")
        assert claim is not None
        post.jobs.note(claim, sandbox=claim.mark)
        post.jobs.leave(claim)
    before = post.jobs.get(post.job_id)
    post.states = [FolderState(name="jobs", path="/jobs", fault="Read-only file system")]
    post.run_next()
    assert post.availability.state() == (RunnerState.NO_STORAGE, "jobs (/jobs): Read-only file system")
    assert (post.ran, post.jobs.get(post.job_id)) == ([], before)
    post.states = []
    post.run_next()
    assert post.ran == [post.job_id]


def test_the_engine_is_asked_once_for_each_bell(post: Post) -> None:
    """An answer costs it the inspection of an image."""
    asked: list[str] = []
    post.availability.check_engine = lambda: asked.append("engine")
    post.run_next()
    assert (post.ran, asked) == ([post.job_id], ["engine"])


def test_no_run_is_taken_over_while_the_engine_is_away(post: Post) -> None:
    """Also by a runner that takes no new jobs: the run waits as it is."""
    claim = post.jobs.claim("small", worker="dead", lease_seconds=30, running_limit=1, host="here")
    assert claim is not None
    post.jobs.note(claim, sandbox=claim.mark)
    post.jobs.leave(claim)
    post.engine.away = True
    for wish in (Wish.RUN, Wish.PAUSE):
        post.runners.set_wish("box:1", wish)
        with pytest.raises(Unavailable):
            post.run_next()
    assert post.ran == []


def test_a_job_in_hand_is_known_while_it_runs(post: Post) -> None:
    seen: list[set[str]] = []
    post.run_next(lambda _claim: seen.append(set(post.availability.jobs)))
    assert (seen, post.availability.jobs) == ([{post.job_id}], set())


def test_what_breaks_unexpectedly_leaves_a_dead_letter(post: Post) -> None:
    """Issue 5: with its job and the way to it."""

    def breaks(_claim: Claim) -> None:
        raise RuntimeError("no idea")

    with pytest.raises(RuntimeError):
        post.run_next(breaks)
    (letter,) = post.letters.page().letters
    failure = letter.failure
    assert (failure.step, failure.error, failure.job_id) == ("run job", "RuntimeError", post.job_id)
    assert letter.failure.frames[-1].endswith("in breaks")
