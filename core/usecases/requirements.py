"""Rules for a submission's requirements.txt: only names and versions from the site's index (BOX-7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.domain.errors import Fault, InvalidInput
from core.domain.submission import REQUIREMENTS
from core.domain.user_text import NotText, decoded

NAME = REQUIREMENTS
MAX_BYTES = 64 * 1024
MAX_LINE = 1000
MAX_REQUIREMENTS = 200
MAX_PARENTHESES = 10
PLAIN = re.compile(r"""[A-Za-z0-9 ._,;<>=!~*+()\[\]'"-]+""")
"""Allowed characters of a line, as sent and as written for pip: no program that reads it can take any of them for an
escape, a variable, a path or an address."""
LISTED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:=| +)([0-9][A-Za-z0-9.!+*]*)(?:(?:=| +)[A-Za-z0-9._-]+)*")
"""A line of `conda list --export` (`numpy=2.1=py311_0`), `conda list` or `pip list` (`numpy 2.1`)."""
FROZEN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*) *@ *(?:file|https?)://[^ ]*?(?:[/_-]([0-9]+(?:\.[0-9]+)+)(?:[/_.-][^ ]*)?)?"
)
"""A line of `pip freeze` with an address, and the version in it, if it has one."""
ARCHIVES = (
    ".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lz", ".tlz", ".tar.lzma",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One requirement, and the line that asks for it."""

    line: int
    requirement: Requirement


def requirements_of(folder: Path) -> bytes | None:
    """The file's bytes, at most MAX_BYTES + 1; None if there is no file or it names no package."""
    path = folder / NAME
    if not path.is_file():
        return None
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        return content if any(map(_asked, decoded(content).splitlines())) else None
    except NotText:
        return content


def parse(content: bytes) -> tuple[str, ...]:
    """The requirements in a fixed spelling and order. Raises InvalidInput, which names each bad line and its fault."""
    return tuple(sorted({_spelled(asked.requirement) for asked in read(content)}))


def read(content: bytes) -> tuple[Asked, ...]:
    """The requirements in the file's order. Raises InvalidInput, which names each bad line and its fault."""
    if len(content) > MAX_BYTES:
        raise InvalidInput.of(NAME, f"must be at most {MAX_BYTES} bytes")
    try:
        lines = decoded(content).splitlines()
    except NotText as error:
        raise InvalidInput.of(NAME, str(error)) from None
    asked = [(number, text) for number, line in enumerate(lines, start=1) if (text := _asked(line))]
    if len(asked) > MAX_REQUIREMENTS:
        raise InvalidInput.of(NAME, f"must name at most {MAX_REQUIREMENTS} packages")
    faults = [Fault(field=NAME, rule=f"line {number}: {rule}") for number, text in asked for rule in _broken(text)]
    if faults:
        raise InvalidInput(*faults)
    return tuple(Asked(line=number, requirement=Requirement(text)) for number, text in asked)


def _asked(line: str) -> str:
    """A line without its comment, by pip's own rule: a '#' at the start or after a blank."""
    text = line.strip()
    return "" if text.startswith("#") else text.partition(" #")[0].partition("\t#")[0].strip()


def _broken(text: str) -> Iterator[str]:
    """The first rule that a line breaks; requests for anything beyond the site's index are named."""
    shown = ascii(text[:80])
    if len(text) > MAX_LINE or not text.isprintable():
        yield f"must be at most {MAX_LINE} printable characters"
    elif text.startswith("- "):
        yield f"{shown} is no requirement; {_in_pips_words(text[2:].strip()) or _ACCEPTED}"
    elif re.search(r"(^|\s)-", text):
        yield f"{shown} is an option of pip; only names and versions are accepted, the index is the site's"
    elif "${" in text or text.endswith("\\"):
        yield f"{shown}: variables and continued lines are not accepted"
    elif "://" in text or "@" in text or text.startswith((".", "/", "~", "file:")):
        yield f"{shown} is an address or a path; only names and versions are accepted{_without_address(text)}"
    elif _names_a_file(text):
        yield f"{shown} is a file; only names and versions are accepted"
    elif not PLAIN.fullmatch(text.replace("\t", " ")) or text.count("(") > MAX_PARENTHESES:
        yield f"{shown} is no requirement that is accepted here: {_ACCEPTED}"
    elif not _is_one_line(text):
        yield f"{shown} is no requirement; {_in_pips_words(text) or _ACCEPTED}"


def _without_address(text: str) -> str:
    """What to write for `numpy @ file:///croot/...`, as `pip freeze` lists a package of conda; "" for other lines."""
    found = FROZEN.fullmatch(text)
    return f": write {found[1]}=={found[2] or 'VERSION'}, or {found[1]} alone" if found else ""


def _in_pips_words(text: str) -> str:
    """What to write for a package as `conda list` or `pip list` shows it; "" if it is none."""
    found = LISTED.fullmatch(text)
    return f"write {found[1]}=={found[2]}" if found and _is_one_line(f"{found[1]}=={found[2]}") else ""


_ACCEPTED = 'write for example numpy, timm>=1.0,<2 or tomli; python_version < "3.11"'


def _names_a_file(text: str) -> bool:
    """Whether pip would take it for an archive file in the working directory."""
    return text.partition(";")[0].strip().lower().endswith(ARCHIVES)


def _is_one_line(text: str) -> bool:
    """Whether the text is one requirement, and the line written for pip is the same requirement in plain characters.

    `packaging` evaluates escapes inside quotes, and checks the names in a marker only when the marker is evaluated.
    """
    try:
        requirement = Requirement(text)
        written = _spelled(requirement)
        if requirement.marker:
            requirement.marker.evaluate({"extra": ""})
        if _names_a_file(written) or not PLAIN.fullmatch(written) or requirement.url:
            return False
        return _spelled(Requirement(written)) == written
    except (ValueError, LookupError, RecursionError):  # every error of packaging derives from one of these
        return False


def _spelled(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(map(canonicalize_name, requirement.extras)))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{canonicalize_name(requirement.name)}{extras}{requirement.specifier}{marker}"
