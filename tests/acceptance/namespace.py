"""A second network namespace of this machine that reaches the ports which compose publishes, and no other."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

HOST, GUEST = "10.231.77.1", "10.231.77.2"
PIECE = 65536


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """Its name, and the address at which it finds the published ports."""

    name: str
    host: str = HOST

    def python(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script of ours in there."""
        command = [*as_root(), "ip", "netns", "exec", self.name, sys.executable, str(script), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)


@contextmanager
def namespace(ports: Sequence[int]) -> Iterator[Namespace]:
    """The namespace, with a relay from its only neighbour to these ports of the loopback interface.

    Published ports are bound to loopback, which no other namespace reaches: the relay stands for the proxy of a site.
    """
    if sys.platform != "linux" or shutil.which("ip") is None or not may_be_root():
        missing("only root on Linux, with `ip`, can make a network namespace")
    made = Namespace(name=f"lb{secrets.token_hex(3)}")
    outer, inner = f"{made.name}o", f"{made.name}i"
    try:
        try:
            ip("netns", "add", made.name)
            ip("link", "add", outer, "type", "veth", "peer", "name", inner)
        except subprocess.CalledProcessError as error:
            missing(f"this machine makes no network namespace: {error.stderr}")
        ip("link", "set", inner, "netns", made.name)
        ip("address", "add", f"{HOST}/30", "dev", outer)
        ip("link", "set", outer, "up")
        ip("-n", made.name, "address", "add", f"{GUEST}/30", "dev", inner)
        ip("-n", made.name, "link", "set", inner, "up")
        with relays(ports):
            yield made
    finally:
        for command in (("link", "del", outer), ("netns", "del", made.name)):
            subprocess.run([*as_root(), "ip", *command], capture_output=True, check=False)


def as_root() -> list[str]:
    """What stands before a command that only root may run."""
    return [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]


def may_be_root() -> bool:
    return os.geteuid() == 0 or (
        shutil.which("sudo") is not None and subprocess.run([*as_root(), "true"], check=False).returncode == 0
    )


def missing(why: str) -> None:
    """Skipped at home, failed in CI."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


def ip(*arguments: str) -> None:
    subprocess.run([*as_root(), "ip", *arguments], capture_output=True, text=True, check=True)


@contextmanager
def relays(ports: Sequence[int]) -> Iterator[None]:
    listeners = [socket.create_server((HOST, port)) for port in ports]
    for listener in listeners:
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    try:
        yield
    finally:
        for listener in listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _accept(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    while True:
        try:
            outside, _address = listener.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(outside, port), daemon=True).start()


def _relay(outside: socket.socket, port: int) -> None:
    with outside, suppress(OSError), socket.create_connection(("127.0.0.1", port)) as inside:
        back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
        back.start()
        _pump(outside, inside)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
