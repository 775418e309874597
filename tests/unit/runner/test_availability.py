"""Which runner takes jobs: what admins wish, disks, the canary; and the doorbell that rings at one that takes none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.folders import FolderState
from core.domain.job import MAX_ATTEMPTS, Claim, JobRequest
from core.domain.limits import UserLimits
from core.domain.runners import ClassFigures, RunnerReport, RunnerState, Wish
from runner.dead_letters import DeadLetterWriter
from runner.worker import actor
from runner.worker.actor import RunNext
from runner.worker.availability import Availability
from runner.worker.engine_floors import FRESH_SECONDS, Floors
from tests.process_sandbox import ProcessEngine
from tests.twins.dead_letters import MemoryDeadLetters
from tests.twins.job_queue import MemoryJobQueue
from tests.twins.job_status import MemoryJobStatus
from tests.twins.runners import MemoryRunners

pytestmark = pytest.mark.unit


@dataclass(kw_only=True)
class Post:
    """One runner named box:1 on twins, with a job of ann's that waits."""

    root: Path
    jobs: MemoryJobStatus = field(default_factory=MemoryJobStatus)
    queue: MemoryJobQueue = field(default_factory=MemoryJobQueue)
    runners: MemoryRunners = field(default_factory=MemoryRunners)
    letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    ran: list[str] = field(default_factory=list)
    states: list[FolderState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = ProcessEngine(self.root / "engine")
        self.availability = Availability(
            name="box:1", host="here", runners=self.runners, check_engine=self.engine.check,
            folders=lambda: self.states, min_free_bytes=0, draining=threading.Event(),
        )  # fmt: skip
        request = JobRequest(submission_id="s", user_id="ann", resource_class="small", benchmark="b")
        self.job_id = self.jobs.admit(request, UserLimits()).job.job_id

    def run_next(self, run_job: Callable[[Claim], None] | None = None) -> None:
        RunNext(
            job_status=self.jobs, job_queue=self.queue,
            run_job=run_job or (lambda claim: self.ran.append(claim.job_id)), lease_seconds=30, running_limit=1,
            host="here", draining=self.availability.draining, availability=self.availability,
            letters=DeadLetterWriter(dead_letters=self.letters, process="box:1"),
        )("small")  # fmt: skip

    def another(self, **changes: object) -> None:
        """A second runner beside this one."""
        small = ClassFigures(name="small", cpus=1, memory_bytes=1, gpus="auto", timeout_seconds=1)
        known = {"name": "box:2", "host": "there", "version": "1", "since": datetime.now(UTC), "state": "ready"}
        self.runners.publish(RunnerReport.model_validate(known | {"classes": (small,)} | changes))


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    monkeypatch.setattr(actor, "PASS_ON_SECONDS", 0.0)
    return Post(root=tmp_path)


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


def test_a_runner_that_its_canary_refuses_takes_none(post: Post) -> None:
    """BOX-12: and says why."""
    post.availability.refusal = "the network is open"
    post.run_next()
    assert (post.ran, post.availability.state()) == ([], (RunnerState.REFUSED, "the network is open"))


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


def test_a_nearly_full_disk_begins_no_run(post: Post) -> None:
    """RUN-7: jobs wait, nothing crashes."""
    post.states = [FolderState(name="logs", path="/logs", free_bytes=10**9)]
    post.availability.min_free_bytes = 10**18
    post.run_next()
    state, reason = post.availability.state()
    assert (post.ran, state) == ([], RunnerState.DISK_LOW)
    assert "logs" in (reason or "")


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


def test_an_engine_away_is_told(post: Post) -> None:
    post.engine.away = True
    assert post.availability.state()[0] is RunnerState.NO_ENGINE


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


def test_a_letter_that_cannot_be_kept_hides_no_failure(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object) -> None:
        raise Unavailable("Redis")

    monkeypatch.setattr(post.letters, "keep", away)
    DeadLetterWriter(dead_letters=post.letters).keep("step", OSError("x"))
