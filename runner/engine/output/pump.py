"""Between the engine's stream of a run and its reader, as a process of its own: `python output_pump.py SECONDS`.

While nobody takes what the engine sends, the program waits in its own writes: so a flood is held up, but so is the run
of a runner that was paused, for as long as the engine's stream stays open. This lets go of it after so many seconds.
"""

from __future__ import annotations

import os
import select
import sys

CHUNK_BYTES = 65536


def pump(source: int, target: int, *, patience_seconds: float) -> bool:
    """True when all was passed on; False once the target is gone, or nothing could be passed on for so long."""
    os.set_blocking(target, False)  # it takes what it has room for
    source_or_end, room = select.poll(), select.poll()
    source_or_end.register(source, select.POLLIN)
    source_or_end.register(target, 0)  # tells only of its end
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
