"""A wall clock that jumps, for the processes that are given its settings: by libfaketime."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

LIBRARY = "libfaketime.so.1"
SHARED = re.compile(r"(?:sem\.faketime_sem_|faketime_shm_)(\d+)")
"""What the library shares between a process and its children; it stays when the process is killed."""


@dataclass(frozen=True)
class Clock:
    """The wall clock of every process that has its settings; clocks that never jump are left alone."""

    folder: Path

    def jump(self, seconds: int) -> None:
        """From the true time, at once, for all of them."""
        beside = self.folder / ".offset"
        beside.write_text(f"{seconds:+d}\n")
        beside.replace(self.folder / "offset")

    def settings(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.folder / LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "offset"),
            "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip


def forget_killed() -> None:
    """Removes the shared memory that libfaketime leaves behind when its processes end."""
    for path in Path("/dev/shm").iterdir():
        found = SHARED.fullmatch(path.name)
        if found and not Path("/proc", found[1]).exists():
            path.unlink(missing_ok=True)


def jumping_clock(folder: Path) -> Clock:
    """A true one so far; its library and its offset are in that folder, which is made."""
    folder.mkdir()
    library = files("libfaketime") / "vendor" / "libfaketime" / "src" / LIBRARY
    (folder / LIBRARY).write_bytes(library.read_bytes())
    made = Clock(folder)
    made.jump(0)
    return made
