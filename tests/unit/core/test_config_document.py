"""Config files as hostile input: plain values, in time, or a reason why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.adapters.files.config_document import MOST_BYTES, NotRead, config_document

pytestmark = pytest.mark.unit


def read(folder: Path, raw: bytes) -> dict[str, Any]:
    path = folder / "config.yaml"
    path.write_bytes(raw)
    return config_document(path)


def test_yaml_and_json_are_plain_values(tmp_path: Path) -> None:
    """As YAML 1.1 reads numbers and truth values; whatever else has a type of its own is text as it was written."""
    text = b"lr: 1e-3\nfast: 0.5\nepochs: 5\nuse: yes\nnothing: ~\nwhen: 2026-01-02\nname: 'x'\n1: [a, {b: 2}]\n"
    assert read(tmp_path, text) == {
        "lr": "1e-3", "fast": 0.5, "epochs": 5, "use": True, "nothing": None, "when": "2026-01-02", "name": "x",
        "1": ["a", {"b": 2}],
    }  # fmt: skip
    assert read(tmp_path, b'{"seed": 3, "layers": ["a"]}') == {"seed": 3, "layers": ["a"]}
    assert read(tmp_path, "name: ネジ\n".encode("utf-16")) == {"name": "ネジ"}
    assert read(tmp_path, b"") == read(tmp_path, b"# nothing to set\n") == {}
    assert read(tmp_path, b"seed: 1\nseed: 2\n") == {"seed": 2}


@pytest.mark.parametrize("value", [".nan", ".inf", "1.0e+999", "!!int x", "!!python/object/apply:os.system [ls]"])
def test_no_value_is_built_that_json_does_not_have(tmp_path: Path, value: str) -> None:
    found = read(tmp_path, f"v: {value}".encode())["v"]
    assert isinstance(found, str | list)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a: &a [1]\nb: *a\n", "anchors and aliases"),
        (b"a: &a {<<: [*a, *a]}\n", "anchors and aliases"),
        (b"[" * 100_000, "nested more than 50 levels"),
        (b"- a\n- b\n", "no mapping"),
        (b"just a text", "no mapping"),
        (b"a: [1, 2\n", "neither YAML nor JSON"),
        (b"? {a: 1}\n: 2\n", "a name that is no text"),
        (b"\xff\xfe\x00", "encoding other than UTF-8"),
        (b"a\x00: 1", "encoding other than UTF-8"),
        (b"x" * (MOST_BYTES + 1), "larger than"),
    ],
    ids=["alias", "merge", "deep", "list", "text", "half a list", "odd name", "half a sign", "nul", "large"],
)
def test_what_is_not_read_has_a_reason(tmp_path: Path, raw: bytes, why: str) -> None:
    with pytest.raises(NotRead, match=why):
        read(tmp_path, raw)


def test_a_file_that_is_not_there_has_a_reason(tmp_path: Path) -> None:
    with pytest.raises(NotRead, match="could not be read"):
        config_document(tmp_path / "config.yaml")


@pytest.mark.parametrize("text", ["1" * 2_000_000, "1:1" * 600_000, "9." * 900_000])
def test_a_number_of_megabytes_stays_text(tmp_path: Path, text: str) -> None:
    """Python reads such a number in a time that grows with the square of its length: the test would not end."""
    assert read(tmp_path, f"v: {text}".encode()) == {"v": text}
