"""Runs into every limit of the sandbox and prints where it was stopped, one JSON line per limit (BOX-12).

Runs as a submission would: `canary_limits.py --config MODE --output /out`. MODE `limits` tries all limits, memory
last; `memory` tries memory alone. The kernel ends the program there.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MIB = 1024**2
SPIN_SECONDS = 0.3
MOST_DESCRIPTORS = 100_000


def tell(check: str, found: Any) -> None:
    print(json.dumps({"check": check, "found": found}), flush=True)


def fill(folder: str, bound: int) -> int:
    """How many bytes fit, in files of a quarter of the bound each; tries at most four times the bound."""
    written = 0
    names = [f"{folder}/canary{number}" for number in range(16)]
    try:
        for name in names:
            with open(name, "wb", buffering=0) as file:
                for _ in range(max(1, bound // 4 // 65536)):
                    written += file.write(b"x" * 65536)
    except OSError:
        pass
    finally:
        clear(names)
    return written


def clear(names: list[str]) -> None:
    for name in names:
        if os.path.exists(name):
            os.unlink(name)


def count_files(folder: str, bound: int) -> int:
    names = [f"{folder}/f{number}" for number in range(4 * bound)]
    made = 0
    try:
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError:
        pass
    finally:
        clear(names)
    return made


def largest_file(bound: int) -> str:
    try:
        with open("/tmp/large", "wb") as file:
            file.truncate(bound + MIB)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "")
    return "larger than allowed"


def count_descriptors() -> int:
    found: list[int] = []
    try:
        while len(found) < MOST_DESCRIPTORS:
            found.append(os.dup(0))
    except OSError:
        pass
    for descriptor in found:
        os.close(descriptor)
    return len(found)


def spin() -> None:
    """Keeps two processes busy; what they get is counted from outside: gVisor counts waiting for a CPU as use."""
    began = time.monotonic()
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            while time.monotonic() < began + SPIN_SECONDS:
                pass
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def count_threads(most: int) -> int:
    """How many could be started; all are gone afterwards."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    try:
        while len(threads) < most:
            thread = threading.Thread(target=over.wait)
            thread.start()
            threads.append(thread)
    except RuntimeError:
        pass
    over.set()
    for thread in threads:
        thread.join()
    return len(threads)


def fork_on(most: int) -> int:
    """How many children could be started; all are gone afterwards."""
    children: list[int] = []
    try:
        while len(children) < most:
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    return len(children)


def limits(bounds: dict[str, int]) -> Iterator[tuple[str, Any]]:
    """Runs into every limit but memory; the last one may end this program under some runtimes."""
    spin()
    yield "cpu, tried", "done"
    folders = {"/out": "output_bytes", "/tmp": "tmp_bytes", "/job": "job_bytes", "/dev/shm": "shm_bytes"}
    for path, name in folders.items():
        yield f"bytes in {path}", fill(path, bounds[name])
    yield "files in /out", count_files("/out", bounds["output_files"])
    yield "largest file", largest_file(bounds["output_bytes"])
    yield "descriptors", count_descriptors()
    yield "threads", count_threads(2 * bounds["pids"])
    tell("processes, tried", "begun")
    yield "processes", fork_on(2 * bounds["pids"])


def take_memory(bound: int) -> None:
    """Touches twice the bound; the kernel ends this program on the way."""
    held = []
    tell("memory, tried", "begun")
    for _ in range(2 * bound // (8 * MIB)):
        block = bytearray(8 * MIB)
        block[::4096] = b"x" * (len(block) // 4096)
        held.append(block)
    tell("memory", len(held) * 8 * MIB)


def main(mode: str) -> None:
    bounds = json.loads(Path("/config/bounds.json").read_text())
    if mode == "limits":
        for check, found in limits(bounds):
            tell(check, found)
    take_memory(bounds["memory_bytes"])


if __name__ == "__main__":
    main(sys.argv[2])
