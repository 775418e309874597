"""Names on the reader's disk: a run's own where the disk takes them, never outside the folder (FLD-7)."""

from pathlib import Path, PurePosixPath

import pytest

from client.api.local_names import CannotSave, local_path
from tests.odd_names import ODD_NAMES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_a_posix_disk_takes_every_name(name: str) -> None:
    assert str(local_path(name, on_windows=False)) == name


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ('a:b|c<d>e*f?"g.png', "a_b_c_d_e_f__g.png"), ("C:/x", "C_/x"), ("a\\..\\b", "a_.._b"), ("ends.", "ends_"),
        ("blank ", "blank_"), ("nul", "_nul"), ("COM1.txt", "_COM1.txt"), ("con .x", "_con .x"), ("...", "___"),
        ("ネジ.png", "ネジ.png"), ("a/aux/b", "a/_aux/b"), ("lpt¹", "_lpt¹"), ("console.log", "console.log"),
    ],
)  # fmt: skip
def test_windows_gets_a_name_that_it_takes(name: str, saved: str) -> None:
    """No drive, no stream, no device, no end that it drops."""
    assert local_path(name, on_windows=True) == Path(PurePosixPath(saved))


@pytest.mark.parametrize("name", ["", "/etc/x", "a//b", "..", "a/../b", "."])
def test_no_path_leads_out_of_the_folder(name: str) -> None:
    for on_windows in (True, False):
        with pytest.raises(CannotSave):
            local_path(name, on_windows=on_windows)


def test_control_characters_of_a_bad_platform_are_replaced() -> None:
    assert str(local_path("a\x1b[31m\nb\x00", on_windows=False)) == "a_[31m_b_"
