"""Passes the engine's stream of a run on to its reader, as a process of its own: `python pump.py SECONDS`.

While the stream is open and not read, the program blocks in its writes. That slows a flood down, but would also block
the run of a paused runner. So this process closes the stream once nothing could be passed on for SECONDS.
"""

from __future__ import annotations

import os
import select
import sys

CHUNK_BYTES = 65536


def pump(source: int, target: int, *, patience_seconds: float) -> bool:
    """Copies until the source ends. False if the target is gone, or nothing could be passed on for so long."""
    os.set_blocking(target, False)  # a write takes only what there is room for
    source_or_end, room = select.poll(), select.poll()
    source_or_end.register(source, select.POLLIN)
    source_or_end.register(target, 0)  # reports only its end
    room.register(target, select.POLLOUT)
    while target not in dict(source_or_end.poll()):
        left = os.read(source, CHUNK_BYTES)
        if not left:
            return True
        while left:
            if not room.poll(patience_seconds * 1000):
                return False
            left = left[os.write(target, left) :]
    return False


if __name__ == "__main__":
    sys.exit(not pump(0, 1, patience_seconds=float(sys.argv[1])))
