"""`scripts/benchmark`: lines that name each fault, an exit code for scripts (FLD-9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.files.benchmark_report import main
from tests.benchmark_sets import encoded, good_set, mask, remade, write_set

pytestmark = pytest.mark.unit


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), capsys.readouterr().out


def test_a_good_folder_ends_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_set(tmp_path, good_set())
    assert printed(capsys, str(folder)) == (0, "surfaces: no fault found; 12 pictures and masks were read.\n")


def test_of_many_alike_the_first_are_shown_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --all each is."""
    files = good_set()
    for number in range(3, 13):
        files[f"weave/test/dot/{number:03}.png"] = encoded(mask().convert("RGB").rotate(number))
        files[f"weave/ground_truth/dot/{number:03}_mask.png"] = encoded(mask())
    folder = write_set(tmp_path, remade(files, "ground_truth", lambda _image: encoded(mask(1))))
    code, text = printed(capsys, str(folder))
    assert (code, text.count("has the values 0 and 1")) == (1, 3)
    assert "... and 10 more like this in public/weave/ground_truth/dot (--all shows each)" in text
    assert text.endswith("13 faults to mend; 32 pictures and masks were read.\n")
    assert printed(capsys, str(folder), "--all")[1].count("has the values 0 and 1") == 13


def test_notes_are_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_set(tmp_path, remade(good_set(), "/train/", lambda image: encoded(image.convert("P"))))
    code, text = printed(capsys, str(folder))
    assert (code, "public/weave/train/good/000.png: note: has a palette" in text) == (0, True)


def test_no_name_acts_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_set(tmp_path, good_set() | {"weave/\x1b[31m\nred.png": b""})
    code, text = printed(capsys, str(folder))
    assert (code, "\x1b" in text, "‹U+001B›[31m red.png: is in no place" in text) == (1, False, True)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, str(tmp_path / "none"))[0] == 2
