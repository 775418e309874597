"""Names of a run's files as names on the reader's disk: none leads out of the folder, and Windows takes them, too."""

import os
import re
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\]|[. ]+$')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?: *\..*)?", re.IGNORECASE)


class CannotSave(Exception):
    """Raised when a file cannot be saved; the text says why."""


def local_path(path: str, *, on_windows: bool = os.name == "nt", hidden: bool = True) -> Path:
    """The path below the reader's folder: the run's own name, with `_` for what the disk cannot take.

    With `hidden=False` no name at the top begins with a dot: a folder that was there before may be one in which
    programs look for such files. Raises CannotSave for a path that leads elsewhere.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise CannotSave(f"{path!r} is no name of a file.")
    names = [_CONTROL.sub("_", part) for part in parts]
    if on_windows:
        names = [_for_windows(name) for name in names]
    if not hidden and names[0].startswith("."):
        names[0] = f"_{names[0]}"
    return Path(*names)


def numbered(target: Path, number: int) -> Path:
    """The same name with a number, for a disk on which two names are one."""
    return target.with_name(f"{target.stem} ({number}){target.suffix}")


def _for_windows(name: str) -> str:
    plain = _NOT_ON_WINDOWS.sub(lambda found: "_" * len(found[0]), name)
    return f"_{plain}" if _DEVICE.fullmatch(plain) else plain
