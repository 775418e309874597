"""Takes weights as a tar stream and places them in the site's folder by one rename, or refuses them as a whole."""

from __future__ import annotations

import errno
import os
import posixpath
import shutil
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import IO

from core.adapters.files.disk_space import NO_ROOM
from core.adapters.files.hub_repository import Refused, as_repository, complete, follow_links, sums_of
from core.domain.limits import GIB, MIB
from core.domain.submission import path_faults, shown
from core.domain.weights import ANOMALIB, HUB, NAME, NAME_RULE, ONE_NAME, REPOSITORY, place_of, repository_of

INCOMING = ".incoming"
KEEP_FREE = 1 * GIB
MOST_FILES = 50_000
CHUNK = 4 * MIB
LEFT_SECONDS = 24 * 3600.0
"""After so long what is still in the making was left by a call that was killed."""
WHOLE_CACHES = frozenset({HUB, ANOMALIB, "checkpoints", "huggingface", "pre_trained", "torch"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """Where it lies, below the folder; the SHA-256 of each file; how many hidden files were left out."""

    path: str
    sums: Mapping[str, str]
    left_out: int


@dataclass(kw_only=True, slots=True)
class _Received:
    """What the stream held: files, and links with their targets, by their path below the thing itself ("")."""

    files: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    left_out: int = 0


def take(root: Path, stream: IO[bytes], *, name: str, size: int, repository: str = "") -> Placed:
    """Takes the file or folder `name` of a tar stream of about `size` bytes.

    With `repository` (`org/name`) it becomes that repository in the cache of the Hugging Face hub. Raises Refused.
    """
    _check_names(name, repository)
    with _refusals(root):
        _check_room(root, size)
        with _stage(root) as stage:
            return _taken(root, stage, stream, name, repository)


def _taken(root: Path, stage: Path, stream: IO[bytes], name: str, repository: str) -> Placed:
    received, here = _receive(stage, stream, name), stage / name
    if not received.files and not received.links:
        raise Refused(f"{shown(name)} holds no files.")
    _kind, path = place_of(name, is_file=here.is_file(), top=[inner for inner in received.files if "/" not in inner])
    is_cache = path.startswith(f"{HUB}/{REPOSITORY}") and not repository
    if received.links and not is_cache:
        raise Refused(
            f"{shown(next(iter(received.links)))} is a link: put the file itself in its place. "
            "Of the hub's cache add the whole folder models--ORGANISATION--NAME."
        )
    if repository:
        here = as_repository(stage, here, repository)
        path = f"{HUB}/{here.name}"
    elif is_cache:
        follow_links(here, received.files, received.links)
        complete(here)
    return Placed(path=path, sums=_place(root, here, path), left_out=received.left_out)


def _check_names(name: str, repository: str) -> None:
    if not ONE_NAME.fullmatch(name):
        raise Refused(f"The name {shown(name)} {NAME_RULE}. Rename it.")
    if name in WHOLE_CACHES:
        raise Refused(f"{name!r} is the name of a whole cache: add what lies in it, each by itself.")
    if name.startswith(REPOSITORY) and not repository and not repository_of(name):
        raise Refused(f"{name!r} is no folder of the hub's cache: those are called models--ORGANISATION--NAME.")
    if repository and not (NAME.fullmatch(repository) and "--" not in repository):
        raise Refused(
            f"--repository {shown(repository)} is no ORGANISATION/NAME: write for example timm/resnet18.a1_in1k."
        )


def _check_room(root: Path, size: int) -> None:
    free = shutil.disk_usage(root).free - KEEP_FREE
    if size > free:
        raise Refused(
            f"There is not enough room: it has {size / GIB:.2f} GB, and {max(free, 0) / GIB:.2f} GB are free besides "
            f"the {KEEP_FREE // GIB} GB that stay so. Make room, or let WEIGHTS in .env name a folder on another disk."
        )


@contextmanager
def _refusals(root: Path) -> Iterator[None]:
    """Turns errors of the disk and of the stream into Refused."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Refused(
                "The disk is full. Make room, or let WEIGHTS in .env name a folder on another disk."
            ) from error
        why = error.strerror or type(error).__name__
        raise Refused(
            f"The folder of weights ({root}) cannot be written: {why}. Where WEIGHTS in .env names it, it must "
            "belong to 10001:10001."
        ) from error
    except (tarfile.TarError, EOFError) as error:
        raise Refused("What arrived is damaged or broke off. Try again.") from error


@contextmanager
def _stage(root: Path) -> Iterator[Path]:
    """Yields an empty folder beside the others, which runs cannot read; what killed calls left there is removed."""
    incoming = root / INCOMING
    incoming.mkdir(mode=0o700, exist_ok=True)
    for left in incoming.iterdir():
        if time.time() - left.stat().st_mtime > LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    stage = incoming / f"{os.getpid()}-{token_hex(4)}"
    stage.mkdir()
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _receive(stage: Path, stream: IO[bytes], name: str) -> _Received:
    """Writes the stream's plain files. Raises Refused for every other kind, and for a path that is not below `name`."""
    found = _Received()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = posixpath.normpath(member.name)
            if faults := path_faults("", path):
                raise Refused(f"{shown(path)} {faults[0].rule}. Rename it, or leave it out.")
            top, _slash, inner = path.partition("/")
            if top != name:
                raise Refused(f"{shown(path)} is not below {shown(name)}.")
            if any(part.startswith(".") for part in inner.split("/")):
                found.left_out += member.isfile()
            elif member.issym():
                found.links[inner] = member.linkname
            elif member.isfile():
                _write(stage / path, archive.extractfile(member))
                found.files.add(inner)
            elif not member.isdir():
                raise Refused(f"{shown(path)} is neither file nor folder: leave it out.")
            if len(found.files) + len(found.links) > MOST_FILES:
                raise Refused(f"{shown(name)} holds more than {MOST_FILES} files: add fewer at once.")
    return found


def _write(path: Path, content: IO[bytes] | None) -> None:
    """Copies the content while there is room. Raises OSError when there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        while content is not None and (chunk := content.read(CHUNK)):
            if shutil.disk_usage(path.parent).free < KEEP_FREE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            file.write(chunk)


def _place(root: Path, here: Path, path: str) -> Mapping[str, str]:
    """Makes it readable for every user and moves it to its place. Returns the sum of each of its files."""
    final = root / path
    if final.exists() or final.is_symlink():
        raise Refused(f"{path} is there already. `scripts/weights remove` it first, when no run needs it.")
    for found in [here, *here.rglob("*")]:
        found.chmod(0o755 if found.is_dir() else 0o644)
    os.sync()
    for folder in reversed([final.parent, *final.parent.parents]):
        if folder.is_relative_to(root) and not folder.is_dir():
            folder.mkdir()
            folder.chmod(0o755)
    here.rename(final)
    return sums_of(final)
