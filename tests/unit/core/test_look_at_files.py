"""A program that Python would not read is told at upload; a config file is the program's own affair."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.submission import Findings, Start
from core.usecases.look_at_files import LookAtFiles
from core.usecases.requirements_check import RequirementsCheck
from tests.twins.runners import MemoryRunners

pytestmark = pytest.mark.unit

TEXT = "print('\u8868\u9762')\n"


def found(folder: Path, *, program: bytes = b"", config: bytes = b"") -> Findings:
    (folder / "main.py").write_bytes(program)
    (folder / "config.yaml").write_bytes(config)
    look = LookAtFiles(requirements=RequirementsCheck(runners=MemoryRunners(), resource_classes=[]))
    return look(folder, Start(entrypoint="main.py", config_file="config.yaml"))


@pytest.mark.parametrize(
    "program",
    [
        TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode("utf-8-sig"),
        b"# -*- coding: cp932 -*-\n" + TEXT.encode("cp932"),
        b"#!/usr/bin/env python\n# vim: set fileencoding=euc_jp :\n" + TEXT.encode("euc_jp"),
    ],
)
def test_a_program_that_python_reads_is_accepted(tmp_path: Path, program: bytes) -> None:
    """Field case 15, and encodings that the program names."""
    assert found(tmp_path, program=program) == Findings()


@pytest.mark.parametrize("encoding", ["utf-16", "cp932", "latin-1"])
def test_a_program_that_python_does_not_read_is_refused(tmp_path: Path, encoding: str) -> None:
    text = "x = 'caf\u00e9'\n" if encoding == "latin-1" else TEXT
    (fault,) = found(tmp_path, program=text.encode(encoding)).faults
    assert fault.field == "entrypoint"
    assert "'main.py' is " in fault.rule
    assert "save it as UTF-8" in fault.rule


def test_an_encoding_that_is_named_too_late_does_not_count(tmp_path: Path) -> None:
    assert found(tmp_path, program=b"\n\n# coding: cp932\n" + TEXT.encode("cp932")).faults


@pytest.mark.parametrize("encoding", ["utf-16", "cp932"])
def test_a_config_file_in_another_encoding_gets_a_note(tmp_path: Path, encoding: str) -> None:
    result = found(tmp_path, config=f"# {TEXT}".encode(encoding))
    assert result.faults == ()
    assert "'config.yaml' is " in result.notes[0]
    assert "save it as UTF-8" in result.notes[0]


@pytest.mark.parametrize(("names", "told"), [
    (["Requirements.txt"], "'Requirements.txt' is not read; a list of packages is called requirements.txt"),
    (["requirements.txt.txt"], "'requirements.txt.txt' is not read"),
    (["requirements.txt", "requirement.txt"], None),
    (["notes.txt"], None),
])  # fmt: skip
def test_a_list_of_packages_under_another_name_gets_a_note(tmp_path: Path, names: list[str], told: str | None) -> None:
    for name in names:
        (tmp_path / name).touch()
    notes = found(tmp_path).notes
    assert [note for note in notes if "is not read" in note] == list(notes)
    assert len(notes) == (told is not None)
    assert (told or "") in "".join(notes)


def test_a_missing_file_is_not_looked_at(tmp_path: Path) -> None:
    look = LookAtFiles(requirements=RequirementsCheck(runners=MemoryRunners(), resource_classes=[]))
    assert look(tmp_path, Start(entrypoint="main.py", config_file="c.yaml")) == Findings()
