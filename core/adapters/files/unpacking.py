"""Fills a submission's folder from an upload; the whole upload is checked before any file is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.adapters.files.archives import Look, allowance, unpack
from core.adapters.files.file_tree import Tree
from core.adapters.files.member_names import outer_folder, plain
from core.adapters.files.stored_files import content_hash
from core.domain.errors import Fault, InvalidInput
from core.domain.limits import UploadLimits
from core.domain.submission import (
    DEFAULT_CONFIG,
    REQUIREMENTS,
    LookInside,
    Start,
    StoredFile,
    Upload,
    UploadedFile,
    is_archive,
    not_looked_at,
    shown,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What an upload became: its files, sorted, their digest, and the names that a run begins with."""

    files: Sequence[StoredFile]
    sha256: str
    entrypoint: str
    config_file: str
    notes: Sequence[str]
    """What was changed or left out, in sentences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """How the upload is unpacked and how its run begins, and the faults of the names that were given for that."""

    start: Start
    outer: str
    """The folder, with its '/', that is taken off every name; "" for none."""
    faults: Sequence[Fault]


def fill(
    folder: Path,
    upload: Upload,
    limits: UploadLimits,
    *,
    check_room: Callable[[], None],
    look_inside: LookInside = not_looked_at,
) -> Filled:
    """Unpack an upload into a folder and look at its files. Raises InvalidInput, TooLarge, StorageFull.

    A missing entrypoint or config file is told together with the faults of requirements.txt; where there is no such
    file, nothing is written.
    """
    look = Look(limits, most=allowance(sum(map(_size, upload.files)), limits))
    for file in upload.files:
        if is_archive(file.name):
            look.at_archive(file.name, file.content)
        else:
            look.at_file(plain(file.name))
    plan = _plan(upload, look.files)
    if plan.faults and plan.outer + REQUIREMENTS not in look.files:
        raise InvalidInput(*plan.faults)
    tree = Tree(root=folder, limits=limits, check_room=check_room, take_digests=True)
    for file in upload.files:
        if is_archive(file.name):
            unpack(file.name, file.content, tree, outer=plan.outer)
        else:
            tree.add_file(plain(file.name), file.content)
    found = look_inside(folder, plan.start)
    if faults := (*plan.faults, *found.faults):
        raise InvalidInput(*faults)
    files = sorted(tree.files.items(), key=lambda item: item[0].split("/"))
    return Filled(
        files=tuple(StoredFile(path=path, size_bytes=file.size_bytes) for path, file in files),
        sha256=content_hash(files),
        entrypoint=plan.start.entrypoint,
        config_file=plan.start.config_file,
        notes=(*_notes(upload, plan, look.left_out, tree.files), *found.notes),
    )


def _size(file: UploadedFile) -> int:
    size = file.content.seek(0, os.SEEK_END)
    file.content.seek(0)
    return size


def _plan(upload: Upload, files: Sequence[str]) -> _Plan:
    """Finds entrypoint and config file among these files.

    The one folder around a single archive's files is taken off, unless the entrypoint is named with it. A config file
    that is not at its place is looked for beside the entrypoint.
    """
    entrypoint, config = plain(upload.entrypoint), plain(upload.config_file)
    outer = outer_folder(files) if len(upload.files) == 1 else ""
    if entrypoint in files or outer + entrypoint not in files:
        outer = ""
    paths = {name.removeprefix(outer) for name in files}
    beside = str(PurePosixPath(entrypoint).parent / config)
    if config not in paths and beside in paths:
        config = beside
    return _Plan(
        start=Start(entrypoint=entrypoint, config_file=config),
        outer=outer,
        faults=(*_entrypoint_faults(entrypoint, paths), *_config_faults(config, paths)),
    )


def _entrypoint_faults(entrypoint: str, paths: set[str]) -> Iterator[Fault]:
    if entrypoint not in paths:
        programs = _elsewhere(entrypoint, paths) or [path for path in sorted(paths) if path.endswith(".py")]
        hint = f"; there is {shown(programs[0])}: name it as the entrypoint" if programs else ""
        yield Fault(field="entrypoint", rule=f"{shown(entrypoint)} is not in the submission{hint}")


def _config_faults(config: str, paths: set[str]) -> Iterator[Fault]:
    """Yields a fault if the request names a config file that is missing; the default one may be missing."""
    if config not in paths and config != DEFAULT_CONFIG:
        found = _elsewhere(config, paths)
        hint = f"; there is {shown(found[0])}: name it as the config file" if found else ""
        yield Fault(field="config_file", rule=f"{shown(config)} is not in the submission{hint}")


def _elsewhere(name: str, paths: set[str]) -> list[str]:
    """The paths of files with this name in other folders."""
    last = PurePosixPath(name).name
    return [path for path in sorted(paths) if path == last or path.endswith(f"/{last}")]


def _notes(upload: Upload, plan: _Plan, left_out: int, paths: Collection[str]) -> Iterator[str]:
    start = plan.start
    if plan.outer:
        yield f"The outer folder {shown(plan.outer)} was taken off."
    if left_out == 1:
        yield "One file or folder that macOS or Windows adds (such as .DS_Store or __MACOSX) was left out."
    elif left_out:
        yield f"{left_out} files and folders that macOS or Windows adds (such as .DS_Store or __MACOSX) were left out."
    if start.config_file != plain(upload.config_file):
        yield f"The config file {shown(start.config_file)} beside the entrypoint is used."
    elif start.config_file not in paths:
        found = _elsewhere(DEFAULT_CONFIG, set(paths))
        if found:
            yield f"There is no {DEFAULT_CONFIG} at the top, so runs begin without one; there is {shown(found[0])}."
