"""Repositories as the cache of the Hugging Face hub has them: made of files, or put right after a download."""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from secrets import token_hex

from core.domain.submission import shown
from core.domain.weights import folder_of


class Refused(Exception):
    """Raised when weights cannot be taken; nothing of them is left. The text says what to do, for the admin."""


def as_repository(stage: Path, here: Path, repository: str) -> Path:
    """Makes the file or the files of the folder the one revision of a repository, named after its content."""
    folder = stage / folder_of(repository)
    text = "".join(f"{digest} {path or here.name}\n" for path, digest in sums_of(here).items())
    revision = hashlib.sha256(text.encode()).hexdigest()[:40]
    into = stage / f".{token_hex(4)}"  # the thing itself may have the name of the folder
    (into / "refs").mkdir(parents=True)
    (into / "refs" / "main").write_text(revision)
    (into / "snapshots").mkdir()
    if here.is_dir():
        here.rename(into / "snapshots" / revision)
    else:
        (into / "snapshots" / revision).mkdir()
        here.rename(into / "snapshots" / revision / here.name)
    into.rename(folder)
    return folder


def follow_links(folder: Path, files: Collection[str], links: Mapping[str, str]) -> None:
    """Puts the blobs of the hub's cache in the places of the links to them; raises Refused for any other link."""
    for path, target in links.items():
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if inner not in files:
            raise Refused(f"{shown(path)} is a link to {shown(target)}, which is not there: is the download complete?")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(folder / inner, folder / path)
        except OSError:  # a file system without links
            shutil.copyfile(folder / inner, folder / path)
    shutil.rmtree(folder / "blobs", ignore_errors=True)


def complete(folder: Path) -> None:
    """Makes sure that the revision `main` can be found; the hub writes no name for one that was asked for by number."""
    revisions = [path for path in (folder / "snapshots").glob("*/") if any(one.is_file() for one in path.rglob("*"))]
    main = folder / "refs" / "main"
    if not revisions:
        raise Refused(f"{folder.name!r} has no files below snapshots/: is the download complete?")
    if not main.is_file() and len(revisions) == 1:
        main.parent.mkdir(exist_ok=True)
        main.write_text(revisions[0].name)
    named = main.read_text(errors="replace").strip() if main.is_file() else ""
    if named not in [path.name for path in revisions]:
        raise Refused(f"{folder.name!r} does not say in refs/main which of its snapshots to take: download it again.")


def sums_of(here: Path) -> Mapping[str, str]:
    """The SHA-256 of each file, in hex, by its path below `here`; of a file itself by ""."""
    files = sorted(found for found in here.rglob("*") if found.is_file()) if here.is_dir() else [here]
    return {"" if found == here else found.relative_to(here).as_posix(): _sum_of(found) for found in files}


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
