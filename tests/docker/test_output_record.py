"""The engine's own record of what a run prints: whole up to the limits, for runners that die, sleep, or come late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import pytest

from core.domain.job import JobState
from core.domain.limits import MIB
from core.ports.sandbox import SandboxSpec, Stream
from runner.engine.container_spec import EngineMeans, record_bytes
from runner.engine.docker_engine import DockerEngine
from runner.engine.docker_sandbox import DockerSandbox
from runner.engine.output import stream as output_stream
from tests.conftest import service
from tests.docker.conftest import SECCOMP
from tests.docker.runner_site import Site, ended, until
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = pytest.mark.docker

LINE = "x" * 1015
LINES = 5000


class Output:
    """Takes all, or nothing until `awake` is set."""

    def __init__(self) -> None:
        self.text = {stream: bytearray() for stream in Stream}
        self.awake = threading.Event()
        self.awake.set()
        self.told_incomplete = False

    def output(self, chunk: bytes, stream: Stream) -> None:
        self.awake.wait(60)
        self.text[stream] += chunk

    def taken_of(self, stream: Stream) -> int:
        return len(self.text[stream])

    def incomplete(self) -> None:
        self.told_incomplete = True

    def settle(self) -> None: ...


@contextmanager
def launched(
    runner: TwinRunner[DockerEngine], program: str, output: Output
) -> Iterator[tuple[DockerSandbox, SandboxSpec]]:
    folder = runner.root / "submissions" / "printer"
    folder.mkdir()
    (folder / "main.py").write_text(program)
    spec = SandboxSpec(
        site=runner.site, job_id="1" * 32, attempt=1, claim="c", user_id="ann", entrypoint="main.py",
        config_file="none", limits=runner.limits, image=runner.image, submission=folder, config=folder,
    )  # fmt: skip
    sandbox = runner.engine.launch(spec, output)
    try:
        yield sandbox, spec
    finally:
        output.awake.set()
        sandbox.remove()


def test_a_run_goes_on_while_its_reader_sleeps(
    runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its program waits for a sleeper only so long; who wakes up finds every line, once."""
    monkeypatch.setattr(output_stream, "UNREAD_SECONDS", 1.0)
    output = Output()
    output.awake.clear()
    program = f"import os\nfor n in range({LINES}): os.write(1, b'%07d ' % n + b'{LINE}\\n')\n"
    with launched(runner, program, output) as (sandbox, _spec):
        until(lambda: sandbox.state().ended, "the program has ended")
        output.awake.set()
        assert sandbox.await_output_end(60)
    numbers = [int(line[:7]) for line in output.text[Stream.STDOUT].splitlines()]
    assert (numbers == list(range(LINES)), len(output.text[Stream.STDOUT])) == (True, LINES * 1024)


def test_a_log_of_many_megabytes_is_taken_over(runner: TwinRunner[DockerEngine]) -> None:
    """LOG-1, REL-2: more than any small record holds was read when the runner left; the next one loses no line."""
    runner.log_limits = {"max_bytes": 256 * MIB, "max_lines": 2_000_000, "kept_bytes": 256 * MIB}
    program = (
        f"import os, time\nfor n in range(25000):\n    os.write(1 + n % 2, b'%07d {LINE}\\n' % n)\n"
        "    if n == 24000: time.sleep(5)\n"
    )
    claim = runner.claim(program + GOOD)
    path = runner.storage.log_path(claim.job_id)
    stopper = when(lambda: path.exists() and path.stat().st_size > 24 * 10**6, runner.stopping.set)
    assert runner.run(claim).state is JobState.RUNNING
    stopper.join()
    runner.stopping.clear()
    job = runner.run(runner.claim_again())
    numbers = [int(line[:7]) for line in path.read_bytes().splitlines() if line[:1].isdigit()]
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert sorted(numbers) == list(range(25000))
    assert [n for n in numbers if n % 2] == list(range(1, 25000, 2))


@pytest.fixture
def narrow(runner: TwinRunner[DockerEngine], image: str) -> Iterator[TwinRunner[DockerEngine]]:
    """A site whose runs may print two megabytes in 50,000 lines."""
    means = EngineMeans(record_bytes=record_bytes(max_bytes=2 * MIB, max_lines=50_000))
    runner.engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=runner.site, image=image, seccomp=SECCOMP, means=means
    )
    yield runner
    runner.engine.close()


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("b'\\n' * 50_000", 1),
        (f"b'x' * {2 * MIB}", 1),
        (f"b'x' * {2 * MIB - 50_000} + b'\\n' * 50_000", 1),
        ("b'\\n' * 50_000", 9),
        (f"b'x' * {2 * MIB}", 9),
    ],
)
def test_all_that_a_run_may_print_is_kept_and_of_more_it_is_told(
    narrow: TwinRunner[DockerEngine], text: str, times: int
) -> None:
    """Lines without text, text without lines, both: whoever comes late reads it all; or is told that some is gone."""
    first, late = Output(), Output()
    with launched(narrow, f"import os\nfor _ in range({times}):\n    w = {text}\n    while w: w = w[os.write(1, w):]\n",
                  first) as (sandbox, spec):  # fmt: skip
        until(lambda: sandbox.state().ended, "the program has ended")
        assert sandbox.await_output_end(60)
        adopted = narrow.engine.adopt(spec, late)
        assert adopted is not None
        assert adopted.await_output_end(60)
        adopted.detach()
    assert (late.text == first.text, late.told_incomplete) == (times == 1, times > 1)


def test_the_end_of_a_long_log_is_there_before_the_container_goes(site: Site, inner: docker.DockerClient) -> None:
    """LOG-3: kill -9 right after it has gone, with a log of which only head and tail are kept."""
    died = site.root / "died"
    trap = {"DIE_AT": "harvesting", "DIED": str(died), "KEPT_LOG_BYTES": "1024"}
    job_id = site.post("print('line\\n' * 1000 + 'the reason', flush=True)\n" + GOOD)
    with site.runner("tests.docker.dying_runner:build", **trap) as first:
        until(died.exists, "the runner has died")
        first.wait(60)
    label = {"label": [f"leadersboard.job={job_id}", "leadersboard.role=job"]}
    assert inner.containers.list(all=True, filters=label, ignore_removed=True) == []
    with site.runner(KEPT_LOG_BYTES="1024"):
        assert ended(site, job_id).state is JobState.COMPLETED
    log = site.log(job_id)
    assert (log.count("the reason"), log.count("bytes were dropped here")) == (1, 1), log
