"""A client that sends a byte now and then, and never the rest of what it began."""

from __future__ import annotations

import socket
import time

Address = tuple[str, int]


def is_cut_off(address: Address, begun: bytes, *, pause_seconds: float, patience_seconds: float) -> bool:
    """Whether the server closes the connection before `patience_seconds` have passed."""
    deadline = time.monotonic() + patience_seconds
    with socket.create_connection(address, timeout=pause_seconds) as wire:
        wire.sendall(begun)
        while time.monotonic() < deadline:
            try:
                wire.sendall(b"a")
                if wire.recv(65536) == b"":
                    return True
            except TimeoutError:
                continue
            except ConnectionError:
                return True
    return False
