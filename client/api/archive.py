"""Packs a folder into one archive; the same files always give the same bytes."""

import gzip
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UPLOADABLE = (".py", ".zip", ".tar.gz", ".tgz", ".yaml", ".yml")
LEFT_OUT = {"__pycache__", "node_modules", "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"}
"""Caches, and what macOS and Windows put beside people's files; in lower case."""
ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")
"""What marks an environment of venv or conda, whatever its folder is called."""
PLAIN_FILE = 0o644


class CannotPack(Exception):
    """Raised when a path cannot be submitted as it is; the message says why and what to do."""


@contextmanager
def uploads_of(path: Path) -> Iterator[Path]:
    """The one file to upload for a path: the file itself, or a temporary archive of the folder."""
    if path.is_dir():
        with tempfile.TemporaryDirectory(prefix="leadersboard-") as folder:
            yield _pack(path, Path(folder) / "submission.tar.gz")
    elif path.is_file() and path.name.lower().endswith(UPLOADABLE):
        yield path
    else:
        raise CannotPack(f"{path} is neither a folder nor one of {', '.join(UPLOADABLE)}.")


def packed_paths(folder: Path) -> list[Path]:
    """The files of a folder to submit, sorted. Raises CannotPack for links.

    Without hidden files, caches, virtual environments, and what macOS and Windows add.
    """
    environments = _environments_in(folder)
    chosen = [
        path
        for path in sorted(folder.rglob("*"))
        if not _is_left_out(path.relative_to(folder)) and environments.isdisjoint((path, *path.parents))
    ]
    if links := [path for path in chosen if path.is_symlink()]:
        raise CannotPack(_about_link(links[0], folder))
    return [path for path in chosen if path.is_file()]


def environments_in(folder: Path) -> list[str]:
    """The virtual environments that are left out of an archive of this folder, sorted, as paths within it."""
    found = _environments_in(folder)
    outermost = [path for path in found if found.isdisjoint(path.parents)]
    return sorted(path.relative_to(folder).as_posix() for path in outermost)


def _environments_in(folder: Path) -> set[Path]:
    return {path.parent for mark in ENVIRONMENTS for path in folder.rglob(mark)} - {folder}


def _about_link(link: Path, folder: Path) -> str:
    if "/bin/python" in link.as_posix() or any((folder / mark).exists() for mark in ENVIRONMENTS):
        return f"{link} is a link of a virtual environment. Move the environment out of {folder}, then submit again."
    return f"{link} is a link, and links cannot be submitted. Put the file itself in its place."


def _is_left_out(relative: Path) -> bool:
    return any(part.startswith(".") or part.lower() in LEFT_OUT for part in relative.parts)


def _pack(folder: Path, target: Path) -> Path:
    paths = packed_paths(folder)
    if not paths:
        raise CannotPack(f"{folder} holds no file to submit. Put main.py and config.yaml into it.")
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in paths:
            _add(archive, path, path.relative_to(folder).as_posix())
    return target


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = PLAIN_FILE
    with path.open("rb") as content:
        entry.size = path.stat().st_size
        archive.addfile(entry, content)
