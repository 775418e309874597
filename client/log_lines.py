"""A live log arrives in pieces: whole lines come out, harmless, with progress bars shown by their last state."""

from client.terminal import harmless

LONGEST_LINE = 64 * 1024
OWN = "[leadersboard]"
"""How the platform's own lines begin, and no line of a run: but it might read like one once its escapes are gone."""


class LogLines:
    """Turns pieces into lines; lives as long as one log is followed."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, piece: str) -> list[str]:
        """The lines that this piece completes."""
        *whole, self._rest = (self._rest + piece).split("\n")
        if len(self._rest) > LONGEST_LINE:
            whole, self._rest = [*whole, self._rest], ""
        return [_shown(line) for line in whole]

    def finish(self) -> list[str]:
        """What is left when nothing more comes."""
        rest, self._rest = self._rest, ""
        return [_shown(rest)] if rest else []


def _shown(line: str) -> str:
    # A carriage return starts the line anew: the last state of a progress bar is the one to keep.
    bare = harmless(line.rstrip("\r").rsplit("\r", 1)[-1])
    return bare if line.startswith(OWN) else bare.replace(OWN, OWN[:-1] + ")")
