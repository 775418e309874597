"""The log of a run on the real engine: it grows, breaks off, floods, and loses nothing."""

from __future__ import annotations

import os
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.domain.job import JobState
from core.domain.limits import MIB
from core.ports.sandbox import SandboxSpec, Stream
from runner.engine.docker_engine import DockerEngine
from runner.engine.output import stream as output_stream
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = pytest.mark.docker


def test_the_log_grows_while_the_job_runs(runner: TwinRunner[DockerEngine]) -> None:
    """LOG-1: each line is there when it is printed, and every line is there at the end."""
    claim = runner.claim("import time\nfor i in range(30): print('line', i); time.sleep(0.1)\n" + GOOD)
    lengths: set[int] = set()
    job_is_over = lambda: runner.ledger.get(claim.job_id).is_final  # noqa: E731

    def look() -> bool:
        if runner.ledger.get(claim.job_id).state is JobState.RUNNING:
            lengths.add(runner.storage.read_log(claim.job_id).next_offset)
        return job_is_over()

    looker = when(look, lambda: None)
    job = runner.run(claim)
    looker.join()
    assert len(lengths) >= 5
    assert [line for line in runner.log_of(job).splitlines() if line.startswith("line")] == [
        f"line {i}" for i in range(30)
    ]


def test_a_stream_that_breaks_is_taken_up_again(
    runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27: the end of a stream is not the end of its job, and nothing is lost or doubled where it broke."""
    streams: list[socket.socket] = []
    begin = output_stream._Pump.__init__

    def seen(pump: output_stream._Pump, stream: int) -> None:
        streams.append(socket.socket(fileno=os.dup(stream)))
        begin(pump, stream)

    monkeypatch.setattr(output_stream._Pump, "__init__", seen)
    claim = runner.claim("import time\nfor n in range(40): print('line', n); time.sleep(0.1)\n" + GOOD)
    breaker = when(
        lambda: "line 9\n" in runner.storage.read_log(claim.job_id).text,
        lambda: streams[0].shutdown(socket.SHUT_RDWR),
    )
    job = runner.run(claim)
    breaker.join()
    streams[0].close()
    assert job.state is JobState.COMPLETED
    assert [line for line in runner.log_of(job).splitlines() if line.startswith("line")] == [
        f"line {number}" for number in range(40)
    ]


@pytest.mark.alone
def test_lines_can_be_read_within_half_a_second_of_their_printing(runner: TwinRunner[DockerEngine]) -> None:
    """LOG-2: by the clock that program and reader share, through engine, runner and log file."""
    claim = runner.claim("import time\nfor n in range(20): print('at', time.time()); time.sleep(0.15)\n" + GOOD)
    lags: dict[str, float] = {}

    def look() -> bool:
        for line in runner.storage.read_log(claim.job_id).text.splitlines():
            if line.startswith("at ") and line not in lags:
                lags[line] = time.time() - float(line.removeprefix("at "))
        return runner.ledger.get(claim.job_id).is_final

    looker = when(look, lambda: None)
    runner.run(claim)
    looker.join()
    assert len(lags) == 20
    assert statistics.median(lags.values()) < 0.5


def test_what_is_printed_at_once_is_there_once(runner: TwinRunner[DockerEngine], image: str) -> None:
    """LOG-1: lines that are out before anybody looks, of many containers that start at the same time."""

    class Output:
        def __init__(self) -> None:
            self.text = b""

        def output(self, chunk: bytes, _stream: Stream) -> None:
            self.text += chunk

        def taken_of(self, _stream: Stream) -> int:
            return len(self.text)

        def incomplete(self) -> None: ...

        def settle(self) -> None: ...

    folder = runner.root / "submissions" / "printer"
    folder.mkdir()
    (folder / "main.py").write_text("for n in range(5): print('line', n)\n")

    def printed(number: int) -> bytes:
        spec = SandboxSpec(
            site=runner.site, job_id=f"{number:032x}", attempt=1, claim="c", user_id="ann", entrypoint="main.py",
            config_file="none", limits=runner.limits, image=image, submission=folder, config=folder,
        )  # fmt: skip
        output = Output()
        sandbox = runner.engine.launch(spec, output)
        assert sandbox.await_output_end(60)
        sandbox.remove()
        return output.text

    wanted = b"".join(f"line {n}\n".encode() for n in range(5))
    with ThreadPoolExecutor(4) as together:
        assert set(together.map(printed, range(24))) == {wanted}


def test_a_flood_is_held_up_and_loses_nothing(
    runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """H40: beyond a burst of two seconds' worth a program waits in its own writes; its neighbours do not."""
    monkeypatch.setattr("runner.engine.output.stream.BYTES_PER_SECOND", MIB)
    runner.log_limits = {"max_bytes": 16 * MIB, "max_lines": 1_000_000, "kept_bytes": 16 * MIB}
    program = "import os, time\nbegan = time.monotonic()\nfor n in range(1024): os.write(1, b'x' * 8191 + b'\\n')\n"
    job = runner.run(runner.claim(program + "print('took', time.monotonic() - began)\n" + GOOD))
    log = runner.storage.log_path(job.job_id).read_bytes()
    assert (job.state, log.count(b"x" * 8191 + b"\n")) == (JobState.COMPLETED, 1024)
    (took,) = (float(line.split()[1]) for line in log.splitlines() if line.startswith(b"took "))
    assert took > 1
