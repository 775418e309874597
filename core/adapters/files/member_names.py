"""The names of an archive's members, as the machine meant them that packed it (FLD-1).

Names from archives are hostile: what these functions return is checked afterwards, as every name of an upload.
"""

from __future__ import annotations

import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress

from core.domain.errors import InvalidInput
from core.domain.submission import shown

UTF8_FLAG = 0x800
FROM_WINDOWS = 0
"""`create_system` of a zip whose names may have backslashes between their parts."""
COMPANION_FOLDER = "__MACOSX"
COMPANION_FILES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"})
"""What macOS and Windows put beside people's files, in lower case."""
HALF = 0.5
MOST_LEVELS = 8
PRIVATE_USE = "Co"


def plain(name: str) -> str:
    """The name with composed accents, and without the './' that `tar -C folder .` puts before every name."""
    while name.startswith("./"):
        name = name[2:]
    return unicodedata.normalize("NFC", name)


def of_zip(member: zipfile.ZipInfo) -> str:
    """The member's name; that of a folder ends in '/'. Raises InvalidInput if its encoding cannot be told."""
    name = member.orig_filename
    if not member.flag_bits & UTF8_FLAG and not name.isascii():
        name = _decoded(name.encode("cp437"))
    if member.create_system == FROM_WINDOWS:
        name = name.replace("\\", "/")
    return plain(name)


def _decoded(raw: bytes) -> str:
    """Bytes that no flag calls UTF-8: macOS and Linux write UTF-8 all the same, older tools in Japan cp932."""
    for encoding in ("utf-8", "cp932"):
        with suppress(UnicodeDecodeError):
            name = raw.decode(encoding)
            if PRIVATE_USE not in map(unicodedata.category, name):  # where cp932 puts bytes that are no text
                return name
    raise InvalidInput.of(
        "files",
        f"the name {shown(raw.decode('latin-1'))} in an archive is neither UTF-8 nor cp932; zip again with UTF-8 names "
        "(Windows 11's own zip, or 7-Zip with the parameter cu=on), or send a .tar.gz",
    )


def is_companion(name: str) -> bool:
    """Whether macOS or Windows has added this file or folder; no program needs it, and many stumble over it."""
    parts = name.rstrip("/").split("/")
    last = parts[-1]
    return COMPANION_FOLDER in parts or last.startswith("._") or last.lower() in COMPANION_FILES


def outer_folder(files: Sequence[str]) -> str:
    """The one folder, with its '/', that all of these files lie in; "" if there is none."""
    first = files[0].partition("/")[0] + "/" if files else ""
    return first if first and all(name.startswith(first) for name in files) else ""


def crowded_folder(names: Iterable[str]) -> tuple[str, int]:
    """The folder that most of these entries lie in, with its '/', and how many; "" if none has more than half of them.

    A folder around everything is looked into, a few levels deep.
    """
    inside, prefix = list(names), ""
    for _level in range(MOST_LEVELS):
        heads = Counter(name[len(prefix) :].partition("/")[0] for name in inside)
        folder = f"{prefix}{heads.most_common(1)[0][0]}/" if heads else "/"
        below = [name for name in inside if name.startswith(folder)]
        if len(below) <= len(inside) * HALF:
            break
        found_beside, inside, prefix = len(below) < len(inside), below, folder
        if found_beside:
            break
    return prefix, len(inside)
