"""The engine stops, dies or hangs in the middle of a job: the job is run again, never judged (R15, R17)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from core.domain.errors import Unavailable
from core.domain.job import JobState
from runner.engine.docker_sandbox import DockerEngine
from tests.conftest import service
from tests.runner_bench import GOOD, Bench, when

pytestmark = [
    pytest.mark.docker,
    # The SDK leaves its socket to the garbage collector when it cannot connect.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(30)\n" + GOOD
PATIENCE_SECONDS = 60


@pytest.fixture
def engine_container() -> Iterator[Container]:
    """The inner engine's own container, seen from outside; it answers again when the test is over."""
    outer = docker.from_env()
    labels = [f"com.docker.compose.project={service('LEADERSBOARD_TEST_PROJECT')}", "com.docker.compose.service=engine"]
    (found,) = outer.containers.list(filters={"label": labels})
    yield found
    outer.close()


def await_engine(engine: DockerEngine) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return engine.check()
        except Unavailable:
            assert time.monotonic() < deadline, "the engine has not come back"
            time.sleep(0.2)


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_job_whose_engine_stopped_is_run_again(
    bench: Bench[DockerEngine], engine_container: Container, how: str
) -> None:
    """The engine's own end takes the run with it: one attempt is used up, the next one completes the job (R15)."""
    claim = bench.claim(SLOW.replace("30", "2"))

    def stop_engine() -> None:
        if how == "restart":
            engine_container.restart(timeout=10)
        else:
            engine_container.kill()
            engine_container.start()

    stopper = when(lambda: "begun" in bench.storage.read_log(claim.job_id).text, stop_engine)
    job = bench.run(claim)
    stopper.join()
    await_engine(bench.engine)
    if job.state is JobState.RUNNING:  # the runner looked while the engine was away: what became of the run shows now
        bench.sweep()
        job = bench.run(bench.claim_again())
    assert (job.state, job.failure_reason, job.attempt) == (JobState.PENDING, None, 1)
    assert "platform failed in attempt 1" in bench.log_of(job)
    job = bench.run(bench.claim_again())
    assert (job.state, job.attempt) == (JobState.COMPLETED, 2)


def test_an_engine_that_hangs_is_not_waited_for_for_ever(
    bench: Bench[DockerEngine], engine_container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call has a deadline of its own; when the engine answers again the run, which went on, is taken over."""
    monkeypatch.setattr(bench.engine._client.api, "timeout", 2)
    claim = bench.claim(SLOW.replace("30", "5"))
    freezer = when(lambda: "begun" in bench.storage.read_log(claim.job_id).text, engine_container.pause)
    started = time.monotonic()
    job = bench.run(claim)
    freezer.join()
    engine_container.unpause()
    assert time.monotonic() - started < 60
    assert job.state is JobState.RUNNING
    await_engine(bench.engine)
    bench.sweep()
    job = bench.run(bench.claim_again())
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert bench.log_of(job).count("begun") == 1
