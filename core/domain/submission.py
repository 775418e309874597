"""A submission: uploaded code, and the rules for its names (SUB-2, SUB-4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from core.domain import strict_json
from core.domain.errors import Fault, InvalidInput
from core.domain.limits import UploadLimits

DEFAULT_CONFIG = "config.yaml"
PLAIN_SUFFIXES = (".py", ".yaml", ".yml")
ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz")
REQUIREMENTS = "requirements.txt"
PLAIN_NAMES = (REQUIREMENTS,)
_DRIVE = re.compile(r"^[A-Za-z]:")
JSON_DEPTH = 20
LONGEST_SHOWN = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadedFile:
    """One file of an upload: the name given by the sender, and its bytes, to be read once."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """The content of one upload request, not checked yet."""

    user_id: str
    files: Sequence[UploadedFile]
    entrypoint: str = "main.py"
    config_file: str = DEFAULT_CONFIG
    metadata: str = "{}"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """One file of a submission; `path` is relative, POSIX and checked."""

    path: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A complete, visible submission."""

    submission_id: str
    user_id: str
    entrypoint: str
    config_file: str
    files: Sequence[StoredFile]
    sha256: str
    """Hash of the sorted paths and contents, hex: equal for equal uploads."""
    metadata: Mapping[str, Any]
    created_at: datetime
    duplicate_of: str | None = None
    """An earlier submission of the same user with the same content and entrypoint; set at creation."""
    notes: Sequence[str] = ()
    """What was changed or left out, and what its runs will meet, in sentences; set at creation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What the files of an upload are found to be: rules that they break, and what their sender should know."""

    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The names that a run begins with, as they are stored."""

    entrypoint: str
    config_file: str


LookInside = Callable[[Path, Start], Findings]
"""Looks at the unpacked files of an upload, in their folder."""


LookAtUpload = Callable[[Path, Start, Mapping[str, Any]], Findings]
"""The same with the metadata of the upload."""


def not_looked_at(_folder: Path, _start: Start, _metadata: Mapping[str, Any] | None = None) -> Findings:
    """Finds nothing."""
    return Findings()


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmissionSummary:
    """A submission as shown in a list: the number of its files, not their names."""

    submission_id: str
    user_id: str
    entrypoint: str
    config_file: str
    sha256: str
    created_at: datetime
    file_count: int
    size_bytes: int


def is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def check_upload(upload: Upload) -> Mapping[str, Any]:
    """The parsed metadata of an upload. Raises InvalidInput with every broken rule."""
    faults: list[Fault] = []
    if not upload.files:
        faults.append(Fault(field="files", rule="send at least one file"))
    for file in upload.files:
        faults.extend(_file_name_faults(file.name))
    faults.extend(path_faults("entrypoint", upload.entrypoint))
    if not upload.entrypoint.endswith(".py"):
        faults.append(Fault(field="entrypoint", rule="must end in .py"))
    faults.extend(path_faults("config_file", upload.config_file))
    metadata, metadata_faults = _metadata(upload.metadata)
    faults.extend(metadata_faults)
    if faults:
        raise InvalidInput(*faults)
    return metadata


def path_faults(field: str, text: str, limits: UploadLimits | None = None) -> list[Fault]:
    """The rules that a relative path breaks; if none, it may be used as a path below one of our folders."""
    limits = limits or UploadLimits()
    rules = []
    if not text or text != text.strip():
        rules.append("must not be empty, nor begin or end with a blank")
    if "\\" in text or _DRIVE.match(text) or text.startswith("/"):
        rules.append("must be a relative path with '/' between its parts")
    parts = text.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        rules.append("must not contain '..', '.' or empty parts")
    if any(part.startswith("-") for part in parts):
        rules.append("no part may begin with '-'")
    if not _is_visible(text):
        rules.append("must consist of printable characters and blanks")
    elif len(text.encode()) > limits.path_bytes or any(len(part.encode()) > limits.name_bytes for part in parts):
        rules.append(f"must be at most {limits.path_bytes} bytes, each part at most {limits.name_bytes}")
    if len(parts) > limits.depth:
        rules.append(f"must be at most {limits.depth} levels deep")
    return [Fault(field=field, rule=rule) for rule in rules]


def canonical(path: str) -> str:
    """A normal form that is equal for names of the same file, also on file systems that fold case or accents."""
    return unicodedata.normalize("NFC", path).casefold()


def _is_visible(text: str) -> bool:
    """Whether there is no control character, mark of direction or lone surrogate; blanks of any script are harmless."""
    return text.isprintable() or all(sign.isprintable() or unicodedata.category(sign) == "Zs" for sign in text)


def _file_name_faults(name: str) -> list[Fault]:
    faults = path_faults("files", name)
    if "/" in name:
        faults.append(Fault(field="files", rule="a file's name must not contain '/'; send folders as an archive"))
    if name not in PLAIN_NAMES and not name.lower().endswith((*PLAIN_SUFFIXES, *ARCHIVE_SUFFIXES)):
        allowed = ", ".join((*PLAIN_SUFFIXES, *ARCHIVE_SUFFIXES, *PLAIN_NAMES))
        faults.append(Fault(field="files", rule=f"{shown(name)} is not accepted; allowed are {allowed}"))
    return faults


def shown(name: str) -> str:
    """An untrusted path in quotes, with every sign that does not print escaped: safe in messages.

    Of a long one the end is shown, where names differ.
    """
    return repr(name if len(name) <= LONGEST_SHOWN else f"…{name[-LONGEST_SHOWN:]}")


def _metadata(text: str) -> tuple[dict[str, Any], list[Fault]]:
    try:
        value = strict_json.parse(text, max_depth=JSON_DEPTH)
    except strict_json.BadJson as error:
        return {}, [Fault(field="metadata", rule=str(error))]
    if not isinstance(value, dict):
        return {}, [Fault(field="metadata", rule="must be a JSON object")]
    return value, []
