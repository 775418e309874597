"""The inner engine's own processes, as this machine's kernel shows them."""

from __future__ import annotations

import os
from pathlib import Path


def engine_processes() -> list[int]:
    """Process ids of every inner dockerd; empty where they cannot be seen."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"dockerd") and b"unix:///run/engine/docker.sock" in words:
            found.append(int(folder.name))
    return found


def engine_rss() -> int:
    """Resident bytes of all inner engines that can be seen."""
    total = 0
    for pid in engine_processes():
        try:
            total += int((Path("/proc") / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total
