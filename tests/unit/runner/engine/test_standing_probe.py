"""Which answers of the standing probe count, without an engine: its program is at the end of a pair of sockets."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from core.domain.limits import MIB
from runner.engine import standing_probe
from runner.engine.standing_probe import LONGEST_ANSWER, StandingProbe

pytestmark = pytest.mark.unit

Probe = Callable[[Any], StandingProbe]


def answer(request: str, mib: int = 3) -> str:
    return json.dumps({"request": request, "by": "nvml", "rows": f"GPU-a, {mib}\n"})


class FakeEngine:
    """Each container answers a request with the lines of `says`; it ends when that is None."""

    def __init__(self, *says: Callable[[str], list[str] | None]) -> None:
        self.says = list(says)
        self.made = self.removed = 0
        self.containers = SimpleNamespace(create=self._create)
        self.api = SimpleNamespace(attach_socket=self._attach)

    def _create(self, **_options: Any) -> Any:
        if not self.says:
            raise docker.errors.APIError("could not select device driver")
        self.made += 1
        return SimpleNamespace(id="c", start=lambda: None, remove=self._remove)

    def _remove(self, **_options: Any) -> None:
        self.removed += 1

    def _attach(self, _container: str, **_options: Any) -> Any:
        ours, its = socket.socketpair()
        threading.Thread(target=self._serve, args=(its, self.says.pop(0)), daemon=True).start()
        return SimpleNamespace(fileno=ours.fileno, close=ours.close, _response=SimpleNamespace(close=lambda: None))

    @staticmethod
    def _serve(its: socket.socket, say: Callable[[str], list[str] | None]) -> None:
        with suppress(OSError), its, its.makefile("r") as requests:  # the probe may have gone
            for request in requests:
                lines = say(request.strip())
                if lines is None:
                    return
                text = "".join(f"{line}\n" for line in lines).encode()
                for part in (text[:7], text[7:]):  # the engine cuts where it likes
                    its.sendall(struct.pack(">BxxxL", 1, len(part)) + part)


@pytest.fixture
def probe() -> Iterator[Probe]:
    made: list[StandingProbe] = []

    def begin(engine: Any) -> StandingProbe:
        made.append(StandingProbe(engine, dict))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def test_an_answer_to_an_earlier_request_is_not_taken(probe: Probe) -> None:
    engine = FakeEngine(lambda request: [answer("0", 900), answer(request)])
    looks = probe(engine)
    assert [looks.look() for _time in range(3)] == [{"GPU-a": 3 * MIB}] * 3
    assert engine.made == 1
    looks.close()
    assert engine.removed == 1


def test_a_hanging_one_is_not_waited_for_again(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not started again at once: what hangs is the driver, and the other way is there."""
    monkeypatch.setattr(standing_probe, "FIRST_SECONDS", 0.1)
    engine = FakeEngine(lambda _request: [answer("0")], lambda request: [answer(request)])
    looks = probe(engine)
    assert (looks.look(), looks.look(), engine.made) == (None, None, 1)
    monkeypatch.setattr(standing_probe.time, "monotonic", lambda: 1e12)
    monkeypatch.setattr(standing_probe, "FIRST_SECONDS", 5.0)
    assert (looks.look(), engine.made) == ({"GPU-a": 3 * MIB}, 2)


def test_one_that_has_ended_is_started_again_within_the_look(probe: Probe) -> None:
    ends = iter([True, False])
    engine = FakeEngine(lambda request: [answer(request)] if next(ends) else None, lambda request: [answer(request, 4)])
    looks = probe(engine)
    assert [looks.look(), looks.look()] == [{"GPU-a": 3 * MIB}, {"GPU-a": 4 * MIB}]


@pytest.mark.parametrize("line", ["no json", "[]", "{}", '{"request": "1"}', "x" * (LONGEST_ANSWER + 9)])
def test_what_is_no_answer_is_not_taken(probe: Probe, line: str) -> None:
    """A new container whose program talks nonsense is left for the other way."""
    engine = FakeEngine(lambda _request: [line])
    assert (probe(engine).look(), engine.made) == (None, 1)


def test_an_engine_that_gives_no_devices_is_asked_in_the_other_way(probe: Probe) -> None:
    looks = probe(FakeEngine())
    assert (looks.look(), looks.look()) == (None, None)


def test_without_devices_no_container_stays(probe: Probe) -> None:
    engine = FakeEngine(lambda request: [json.dumps({"request": request, "by": "nvidia-smi", "rows": ""})])
    assert (probe(engine).look(), engine.made, engine.removed) == ({}, 1, 1)
