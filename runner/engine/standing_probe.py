"""One standing container that answers what devices an engine has and what is in use on them, in a few milliseconds.

It runs a program of ours that reads requests from its input. Each has a number, which its answer repeats, so that an
older answer is never taken for a new one. When its runner is gone its input ends, and it ends with it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker
import docker.errors
import requests
import structlog
from docker.models.containers import Container

from core.ports.sandbox import Stream
from runner.engine.gpu_probe import read
from runner.engine.output.stream import frames
from runner.engine.resources import remove

FIRST_SECONDS = 15.0
"""For the first answer of a container: it starts Python, and a driver that is not loaded yet takes some seconds."""
ANSWER_SECONDS = 3.0
REST_SECONDS = 60.0
"""How long devices are looked at in the other way after a container gave no answer."""
CHUNK_BYTES = 65536
LONGEST_ANSWER = 65536
_FAULTS = (docker.errors.DockerException, requests.RequestException, OSError, ValueError, LookupError, TypeError)

log = structlog.get_logger(__name__)


class StandingProbe:
    """Lives as long as its engine's adapter. Starts its container at the first look, and again when it has died."""

    def __init__(self, client: docker.DockerClient, options: Callable[[], Mapping[str, Any]]) -> None:
        """`options` are those of the container; may raise Unavailable, as `look` does then."""
        self._client, self._options = client, options
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._opened: _Opened | None = None
        self._rests_until = float("-inf")

    def look(self) -> dict[str, int] | None:
        """Used bytes by UUID, read after this call began; None without an answer in time."""
        if not self._lock.acquire(timeout=ANSWER_SECONDS):
            return None
        try:
            return self._look() if time.monotonic() >= self._rests_until else None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Removes the container. Never raises."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def _look(self) -> dict[str, int] | None:
        is_new = False
        while not is_new:
            is_new = self._opened is None
            try:
                self._opened = self._opened or _Opened.start(self._client, self._options())
                found = self._opened.ask(next(self._numbers), FIRST_SECONDS if is_new else ANSWER_SECONDS)
            except _FAULTS as error:
                log.warning("devices' standing probe gave no answer", error=f"{type(error).__name__}: {error}"[:300])
                self._let_go()
                if isinstance(error, TimeoutError):
                    break
            else:
                if not found:
                    self._opened.close()
                    self._opened = None
                return found
        self._rests_until = time.monotonic() + REST_SECONDS
        return None

    def _let_go(self) -> None:
        """Removes the container in a thread: one whose driver hangs may take the engine a minute."""
        if self._opened is not None:
            threading.Thread(target=self._opened.close, daemon=True, name="probe end").start()
        self._opened = None


class _Opened:
    """A started container and the connection to its program."""

    def __init__(self, container: Container, connection: socket.socket) -> None:
        self._container, self._connection = container, connection
        self._until = 0.0
        self._lines = self._read()

    @classmethod
    def start(cls, client: docker.DockerClient, options: Mapping[str, Any]) -> _Opened:
        container = client.containers.create(**options)
        try:
            opened: Any = client.api.attach_socket(str(container.id), params={"stdin": 1, "stdout": 1, "stream": 1})
            connection = socket.socket(fileno=os.dup(opened.fileno()))
            opened._response.close()  # noqa: SLF001 its own `close` leaves the connection open
            opened.close()
            container.start()
        except BaseException:  # whatever it is, the container must not stay; raised on
            _remove(container)
            raise
        return cls(container, connection)

    def ask(self, number: int, seconds: float) -> dict[str, int]:
        """Used bytes by UUID. Raises TimeoutError, ConnectionError, and ValueError for what is no answer."""
        self._until = time.monotonic() + seconds
        self._connection.settimeout(seconds)
        self._connection.sendall(f"{number}\n".encode())
        for line in self._lines:
            told = json.loads(line)
            if told["request"] == str(number):
                return read(str(told["rows"]))
        raise ConnectionError("it has ended")

    def close(self) -> None:
        """Ends the program's input, and removes the container. Never raises."""
        self._connection.close()
        _remove(self._container)

    def _read(self) -> Iterator[bytes]:
        """Yields the lines of its answers until its output ends. Raises TimeoutError at `_until`."""
        came = b""
        for stream, text in frames(self._chunks()):
            came += text if stream is Stream.STDOUT else b""
            *lines, came = came.split(b"\n")
            yield from lines
            if len(came) > LONGEST_ANSWER:
                raise ValueError("its answer does not end")

    def _chunks(self) -> Iterator[bytes]:
        while True:
            self._connection.settimeout(max(0.001, self._until - time.monotonic()))
            chunk = self._connection.recv(CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


def _remove(container: Container) -> None:
    with contextlib.suppress(*_FAULTS):
        remove(container)
