"""Saves a run's files below a folder: names from the platform are checked, existing files are not overwritten."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from client.api.client import LeadersboardClient

PART = re.compile(r"[^\0/\\]{1,255}")


class CannotSave(Exception):
    """Raised when a file cannot be saved; the text says why."""


def save_artifacts(client: LeadersboardClient, job_id: str, paths: Iterable[str], folder: Path) -> Iterator[Path]:
    """Save these files of a job below `folder`; yields each path once it is complete. Raises CannotSave."""
    for path in paths:
        target = folder / checked(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _save(client, job_id, path, target)
        except FileExistsError as error:
            raise CannotSave(f"{target} is there already.") from error
        except OSError as error:
            raise CannotSave(f"{target} cannot be written: {error.strerror}.") from error
        yield target


def checked(path: str) -> Path:
    """The path as one below our own folder. Raises CannotSave."""
    parts = path.split("/")
    if not all(PART.fullmatch(part) and part not in {".", ".."} for part in parts) or Path(path).is_absolute():
        raise CannotSave(f"{path!r} is no name of a file.")
    return Path(*parts)


def _save(client: LeadersboardClient, job_id: str, path: str, target: Path) -> None:
    """Save completely or not at all: the file gets its name once it is complete."""
    partial = target.with_name(f".{target.name[:200]}.part")
    if target.exists():
        raise FileExistsError(target)
    try:
        with client.artifact(job_id, path) as pieces, partial.open("wb") as out:
            out.writelines(pieces)
        os.replace(partial, target)  # noqa: PTH105 the same as Path.replace, which returns a path that is not needed
    finally:
        partial.unlink(missing_ok=True)
