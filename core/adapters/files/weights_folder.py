"""The site's weights as a folder, laid out as the libraries expect their caches."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path

from core.domain.errors import Unavailable
from core.domain.weights import (
    ANOMALIB,
    CHECKPOINTS,
    HUB,
    HUBCONF,
    ONE_NAME,
    Weights,
    WeightsKind,
    repository_of,
)

MOST_LISTED = 1000
MOST_COUNTED = 50_000
"""Files of one folder whose sizes are added up."""


class WeightsFolder:
    """WeightsPort on a folder; read again at each call, so that new weights need no restart."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list_weights(self) -> Sequence[Weights]:
        try:
            found = list(islice(self._found(), MOST_LISTED))
        except OSError as error:
            raise _unavailable(error) from error
        return sorted(found, key=lambda one: (one.name.casefold(), one.path))

    def folder(self) -> Path | None:
        try:
            with os.scandir(self._root) as entries:
                return self._root if any(not entry.name.startswith(".") for entry in entries) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unavailable(error) from error

    def _found(self) -> Iterator[Weights]:
        for path in _visible(self._root):
            if path.name not in {HUB, ANOMALIB}:
                yield from self._one(path, WeightsKind.PLAIN)
        for path in _visible(self._root / HUB):
            if (repository := repository_of(path.name)) and _has_files(path / "snapshots"):
                yield from self._one(path, WeightsKind.HUGGINGFACE, repository)
            elif (path / HUBCONF).is_file():
                yield from self._one(path, WeightsKind.TORCH_HUB)
        for path in _visible(self._root / CHECKPOINTS):
            if path.is_file():
                yield from self._one(path, WeightsKind.CHECKPOINT)
        for path in _visible(self._root / ANOMALIB):
            if path.is_dir():
                yield from self._one(path, WeightsKind.ANOMALIB)

    def _one(self, path: Path, kind: WeightsKind, name: str = "") -> Iterator[Weights]:
        """Yields nothing if it is removed meanwhile."""
        with suppress(FileNotFoundError):
            seen = path.stat()
            size = _size(path, seen.st_mtime_ns, seen.st_ino) if stat.S_ISDIR(seen.st_mode) else seen.st_size
            where = path.relative_to(self._root).as_posix()
            yield Weights(name=name or path.name, kind=kind, path=where, size_bytes=size)


def _visible(folder: Path) -> Iterator[Path]:
    """What lies in the folder under a name that can be asked for; links lead nowhere in a run, so they do not count."""
    try:
        paths = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for path in paths:
        if ONE_NAME.fullmatch(path.name) and not path.is_symlink() and (path.is_file() or path.is_dir()):
            yield path


def _has_files(folder: Path) -> bool:
    return any(files for _path, _folders, files in os.walk(folder))


@lru_cache(maxsize=4096)
def _size(folder: Path, _modified: int, _inode: int) -> int:
    """The sum of the folder's files. Folders are placed by one rename, so one that looks the same is the same."""
    paths = (os.path.join(path, name) for path, _folders, names in os.walk(folder) for name in names)  # noqa: PTH118 many
    sizes = (os.lstat(path) for path in islice(paths, MOST_COUNTED))
    return sum(seen.st_size for seen in sizes if stat.S_ISREG(seen.st_mode))


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable("The folder of weights", error.strerror or type(error).__name__)
