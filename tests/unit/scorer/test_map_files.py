"""A map is read as what a hostile program may have written: header before pixels, and one sentence for each fault."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from scorer.faults import BadFile
from scorer.map_files import read_map

SIZE = (12, 8)
GOOD = np.linspace(-3, 40, 96, dtype=np.float32).reshape(8, 12)


def written(folder: Path, values: Any = GOOD, suffix: str = ".tiff", **options: Any) -> Path:
    path = folder / f"map{suffix}"
    if suffix == ".npy":
        np.save(path, values, **options)
    else:
        tifffile.imwrite(path, values, **options)
    return path


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".tiff", {}),
        (".tif", {"byteorder": ">"}),
        (".tiff", {"compression": "zlib"}),
        (".tiff", {"rowsperstrip": 3}),
        (".npy", {}),
    ],
)
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_map_is_read_exactly(tmp_path: Path, suffix: str, options: dict[str, Any], kind: Any) -> None:
    values = GOOD.astype(kind)
    assert (read_map(written(tmp_path, values, suffix, **options), {SIZE}) == values.astype(np.float32)).all()


@pytest.mark.parametrize("values", [np.asfortranarray(GOOD), GOOD.astype(">f4")])
def test_any_order_of_an_array_is_read(tmp_path: Path, values: Any) -> None:
    assert (read_map(written(tmp_path, values, ".npy"), {SIZE}) == GOOD).all()


@pytest.mark.parametrize("suffix", [".tiff", ".npy"])
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (GOOD.astype(np.float64), "two-dimensional float16 or float32"),
        (GOOD.astype(np.uint8), "two-dimensional float16 or float32"),
        (np.stack([GOOD, GOOD]), "two-dimensional float16 or float32|pixels; wanted"),
        (GOOD[:4], "12 × 4 pixels; wanted: 12 × 8"),
        (GOOD.T.copy(), "8 × 12 pixels; wanted: 12 × 8"),
        (np.where(GOOD > 39, np.nan, GOOD).astype(np.float32), "NaN or infinite"),
        (np.where(GOOD > 39, -np.inf, GOOD).astype(np.float32), "NaN or infinite"),
        (np.zeros((2000, 2000), np.float32), "larger than its pixels"),
    ],
)
def test_what_is_no_map_is_named(tmp_path: Path, suffix: str, values: Any, sentence: str) -> None:
    with pytest.raises(BadFile, match=sentence):
        read_map(written(tmp_path, values, suffix), {SIZE})


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    """An array of objects would run code when it is read."""
    with pytest.raises(BadFile):
        read_map(written(tmp_path, np.array([[print, 1]], dtype=object), ".npy", allow_pickle=True), {SIZE})
    (tmp_path / "map.npy").write_bytes(pickle.dumps(GOOD))
    with pytest.raises(BadFile, match="damaged"):
        read_map(tmp_path / "map.npy", {SIZE})


def test_a_small_file_of_a_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    """Nine megapixels of zeros deflate to fewer bytes than a file of this picture may have."""
    path = written(tmp_path, np.zeros((3000, 3000), np.float32), compression="zlib")
    assert path.stat().st_size < 64 * 1024
    with pytest.raises(BadFile, match="3000 × 3000 pixels; wanted: 12 × 8"):
        read_map(path, {SIZE})


def test_several_pages_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.tiff"
    with tifffile.TiffWriter(path) as writer:
        writer.write(GOOD)
        writer.write(GOOD)
    with pytest.raises(BadFile, match="of one page"):
        read_map(path, {SIZE})


def test_links_pipes_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    """A pipe without a writer would block for ever."""
    secret = written(tmp_path)
    (tmp_path / "link.tiff").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.tiff")
    (tmp_path / "folder.tiff").mkdir()
    for name in ("link", "pipe", "folder", "none"):
        with pytest.raises(BadFile, match="no plain file"):
            read_map(tmp_path / f"{name}.tiff", {SIZE})


@given(st.data())
def test_a_damaged_map_is_a_bad_file_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any byte may be another: the map is refused or read, and no other error comes out."""
    folder = tmp_path_factory.mktemp("damaged")
    suffix = data.draw(st.sampled_from([".tiff", ".npy"]))
    content = bytearray(written(folder, suffix=suffix).read_bytes())
    for _change in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(300, len(content) - 1)))] = data.draw(st.integers(0, 255))
    path = folder / f"damaged{suffix}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_map(path, {SIZE})
    except BadFile:
        return
    assert found.shape == GOOD.shape
    assert np.isfinite(found).all()


def test_a_count_of_tags_beyond_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.tiff"
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 60000) + b"\0" * 100)
    with pytest.raises(BadFile, match="more than 64 tags"):
        read_map(path, {SIZE})
