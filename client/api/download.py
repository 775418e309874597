"""Saves a run's files below a folder: names from the platform are checked, existing files are not overwritten."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from client.api.client import LeadersboardClient
from client.api.local_names import CannotSave, local_path, numbered

MOST_TWINS = 100
MOST_TOLD = 10


@dataclass(frozen=True, kw_only=True)
class Saved:
    """One file of a run that is now on the reader's disk."""

    path: str
    target: Path
    is_renamed: bool
    """Whether the disk does not take the name that the run gave it."""


def save_artifacts(client: LeadersboardClient, job_id: str, paths: Iterable[str], folder: Path) -> Iterator[Saved]:
    """Save these files of a job below `folder`; yields each once it is complete.

    A file that cannot be saved keeps no other from it. Raises CannotSave at the end, which names the first ones.
    """
    saving = _Saving(client=client, job_id=job_id, folder=folder, hidden=_is_ours(folder))
    failures = []
    for path in paths:
        try:
            yield saving.save(path)
        except CannotSave as error:
            failures.append(str(error))
    if failures:
        more = [f"... and {len(failures) - MOST_TOLD} more."] if len(failures) > MOST_TOLD else []
        raise CannotSave(" ".join(failures[:MOST_TOLD] + more))


def _is_ours(folder: Path) -> bool:
    """Whether nothing was in the folder before, so that no program expects its own files there."""
    with suppress(OSError):
        return not any(folder.iterdir())
    return True


@dataclass(kw_only=True)
class _Saving:
    """One download of several files."""

    client: LeadersboardClient
    job_id: str
    folder: Path
    hidden: bool
    saved: set[Path] = field(default_factory=set)

    def save(self, path: str) -> Saved:
        own = local_path(path, hidden=self.hidden)
        target = self.folder / own
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target = self._free(target)
            self._write(path, target)
        except FileExistsError as error:
            raise CannotSave(f"{target} is there already.") from error
        except OSError as error:
            raise CannotSave(f"{target} cannot be written: {error.strerror}.") from error
        self.saved.add(target)
        return Saved(path=path, target=target, is_renamed=target.relative_to(self.folder) != Path(*path.split("/")))

    def _free(self, target: Path) -> Path:
        """The target, or with a number where this disk takes it for another file of the run. Raises FileExistsError."""
        if not os.path.lexists(target):
            return target
        if any(target.samefile(other) for other in self.saved):
            for number in range(2, MOST_TWINS):
                if not os.path.lexists(beside := numbered(target, number)):
                    return beside
        raise FileExistsError(target)

    def _write(self, path: str, target: Path) -> None:
        """Save completely or not at all: the file gets its name once it is complete."""
        partial = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with self.client.artifact(self.job_id, path) as pieces, partial.open("xb") as out:
                out.writelines(pieces)
            os.replace(partial, target)  # noqa: PTH105 the same as Path.replace, which returns a path that is not needed
        finally:
            partial.unlink(missing_ok=True)
