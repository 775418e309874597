"""The hash of a benchmark's data: of every name and byte, read once, and read again when anything has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import data_manifest
from runner.data_manifest import DataManifest, NoManifest, clear_manifests

pytestmark = pytest.mark.unit


@pytest.fixture
def manifest(tmp_path: Path) -> DataManifest:
    data = tmp_path / "data"
    for name, content in {"b/2.png": b"two", "b/1.png": b"one", "ids.json": b"{}"}.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    return DataManifest(data=data, known=tmp_path / "jobs" / ".manifests" / "b")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read."""
    found: list[str] = []
    hashed = data_manifest._hash

    def counting(path: Path, about: os.stat_result, check: Callable[[], None]) -> str:
        found.append(path.name)
        return hashed(path, about, check)

    monkeypatch.setattr(data_manifest, "_hash", counting)
    return found


def sha256(manifest: DataManifest) -> str:
    manifest.known.parent.parent.mkdir(exist_ok=True)
    return manifest.sha256(manifest.seen(), check=lambda: None)


def test_it_is_the_hash_of_the_sorted_lines(manifest: DataManifest) -> None:
    """As `sha256sum` writes them: anybody can compute it again."""
    files = {"b/1.png": b"one", "b/2.png": b"two", "ids.json": b"{}"}
    lines = sorted(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    assert sha256(manifest) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_nothing_is_read_twice(manifest: DataManifest, reads: list[str]) -> None:
    """Neither by this process nor by another one on the host."""
    first = sha256(manifest)
    assert sha256(DataManifest(data=manifest.data, known=manifest.known)) == first
    assert sorted(reads) == ["1.png", "2.png", "ids.json"]


def change_content(path: Path) -> None:
    path.write_bytes(b"TWO")


def change_back_in_time(path: Path) -> None:
    """Same size, same time of change as far as programs can set it."""
    about = path.stat()
    path.write_bytes(b"TWO")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def rename(path: Path) -> None:
    path.rename(path.with_name("3.png"))


def remove(path: Path) -> None:
    path.unlink()


def add(path: Path) -> None:
    path.with_name("new.png").write_bytes(b"")


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("1.png")


@pytest.mark.parametrize("act", [change_content, change_back_in_time, rename, remove, add, link])
def test_every_change_of_the_data_changes_it(manifest: DataManifest, act: Callable[[Path], None]) -> None:
    before = sha256(manifest)
    act(manifest.data / "b" / "2.png")
    assert sha256(manifest) != before


def test_data_that_changed_during_the_run_has_none(manifest: DataManifest) -> None:
    """The run may have seen either."""
    seen = manifest.seen()
    add(manifest.data / "b" / "2.png")
    with pytest.raises(NoManifest, match="changed while the run went on"):
        manifest.sha256(seen, check=lambda: None)


def test_data_that_changes_while_it_is_read_has_none(manifest: DataManifest) -> None:
    with pytest.raises(NoManifest, match="changed while it was read"):
        manifest.sha256(manifest.seen(), check=lambda: add(manifest.data / "b" / "2.png"))
    assert not manifest.known.exists()


def test_that_much_is_read_is_said(manifest: DataManifest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: a job that is "recording" for minutes has a reason in its log."""
    manifest.known.parent.parent.mkdir()
    said: list[str] = []
    for most in (1000, 8, 8):
        monkeypatch.setattr(data_manifest, "MUCH_BYTES", most)
        manifest.sha256(manifest.seen(), check=lambda: None, say=said.append)
        assert said == [], "its 8 bytes are little, or known"
    add(manifest.data / "b" / "2.png")
    manifest.sha256(manifest.seen(), check=lambda: None, say=said.append)
    assert len(said) == 1


def test_reading_can_be_stopped(manifest: DataManifest) -> None:
    """A cancelled job, and a runner that ends, need not wait for gigabytes."""

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        manifest.sha256(manifest.seen(), check=stop)
    assert sha256(manifest), "the next one is not kept waiting"


@pytest.mark.parametrize("text", ["", "x", "0" * 129, "\udcff", f"{'0' * 64} {'1' * 64}"])
def test_a_damaged_note_is_read_again(manifest: DataManifest, reads: list[str], text: str) -> None:
    sha256(manifest)
    manifest.known.write_bytes(text.encode(errors="surrogateescape"))
    reads.clear()
    sha256(manifest)
    assert len(reads) == 3


def test_a_disk_that_takes_no_note_costs_no_hash(manifest: DataManifest) -> None:
    """Then the data is read once more the next time."""
    manifest.known.parent.parent.write_text("no folder")
    assert len(manifest.sha256(manifest.seen(), check=lambda: None)) == 64


def test_what_no_run_could_read_is_left_out(manifest: DataManifest) -> None:
    """A pipe would never be read to its end."""
    before = sha256(manifest)
    os.mkfifo(manifest.data / "pipe")
    assert sha256(manifest) == before


def test_what_cannot_be_looked_at_has_a_reason(
    manifest: DataManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoManifest, match="could not be looked at"):
        DataManifest(data=tmp_path / "gone", known=manifest.known).seen()
    monkeypatch.setattr(data_manifest, "MOST_FILES", 2)
    with pytest.raises(NoManifest, match="more than 2 files"):
        manifest.seen()


def test_hashes_of_removed_benchmarks_go(manifest: DataManifest, tmp_path: Path) -> None:
    sha256(manifest)
    assert list(clear_manifests(tmp_path / "jobs")) == []
    os.utime(manifest.known, (0, 0))
    assert list(clear_manifests(tmp_path / "jobs")) == ["b"]
    assert list(clear_manifests(tmp_path / "nowhere")) == []
