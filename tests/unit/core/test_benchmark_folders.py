"""Benchmarks as folders: well-formed ones are offered, a bad one hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.files.benchmark_folders import BenchmarkFolders, InvalidBenchmark, read_benchmark
from core.adapters.files.benchmark_report import main
from core.domain.errors import NotFound, Unavailable
from tests.builders import write_benchmark

pytestmark = pytest.mark.unit


def test_lists_benchmarks_by_name(tmp_path: Path) -> None:
    """A new folder is there at the next look, without a restart."""
    folders = BenchmarkFolders(tmp_path)
    assert folders.list_benchmarks() == ()
    write_benchmark(tmp_path, name="zebra")
    write_benchmark(tmp_path, name="apple")
    assert [item.name for item in folders.list_benchmarks()] == ["apple", "zebra"]


def test_finds_one_and_its_data(tmp_path: Path) -> None:
    """The data folder stands beside the file."""
    write_benchmark(tmp_path, data="images")
    folders = BenchmarkFolders(tmp_path)
    assert folders.get("synthetic").title == "Surfaces"
    assert folders.data_folder("synthetic") == tmp_path / "synthetic" / "images"


@pytest.mark.parametrize(
    "name", ["", "none", "..", "../synthetic", "Synthetic", "synthetic\n", "a\x00b", "/etc", "a" * 300]
)
def test_an_unknown_name_is_not_found(tmp_path: Path, name: str) -> None:
    """No name becomes a path unchecked."""
    write_benchmark(tmp_path)
    with pytest.raises(NotFound):
        BenchmarkFolders(tmp_path / "synthetic" / "..").get(name)
    with pytest.raises(NotFound):
        BenchmarkFolders(tmp_path).data_folder(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2",
        b"name: other",
        b"\xff\xfe\xff",
        b"a: &a [*a, *a]",
        b"- 1",
        b"x: 2024-13-45",
        b"[" * 3000,
        b"!!python/name:os.system x",
    ],
    ids=["empty", "broken", "incomplete", "no text", "cycle", "list", "bad date", "deep", "python"],
)
def test_one_bad_file_hides_no_other(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read is left out with a word in the log."""
    write_benchmark(tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "benchmark.yaml").write_bytes(content)
    assert [item.name for item in BenchmarkFolders(tmp_path).list_benchmarks()] == ["synthetic"]
    with pytest.raises(NotFound):
        BenchmarkFolders(tmp_path).get("bad")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scoring": "trusted"}, "trusted is not supported"),
        ({"scoring": "trusted"}, "Write scoring: verified"),
        ({"image": "my-image:1"}, "Write image: sandbox, or leave the line out"),
        ({"log_policy": "hidden"}, "'log_policy' is not known"),
        ({"labels": "hidden"}, "known keys are name, title"),
    ],
)
def test_what_would_do_nothing_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], words: str
) -> None:
    """A promise that this version cannot keep is not accepted: not listed, and the reason says what to write."""
    path = write_benchmark(tmp_path, **changes)
    assert BenchmarkFolders(tmp_path).list_benchmarks() == ()
    with pytest.raises(InvalidBenchmark, match=words):
        read_benchmark(path)
    with pytest.raises(SystemExit) as ended:
        main([str(path.parent), "--settings-only"])
    assert ended.value.code == 1
    assert words in capsys.readouterr().out


def test_a_good_file_is_said_to_be_good(tmp_path: Path) -> None:
    """What `scripts/install-benchmark` asks before it installs a folder."""
    with pytest.raises(SystemExit) as ended:
        main([str(write_benchmark(tmp_path).parent), "--settings-only"])
    assert ended.value.code == 0


def test_a_name_must_be_its_folders(tmp_path: Path) -> None:
    """Two folders cannot claim one name."""
    write_benchmark(tmp_path)
    (tmp_path / "synthetic").rename(tmp_path / "copy")
    assert BenchmarkFolders(tmp_path).list_benchmarks() == ()


def test_a_missing_root_is_unavailable(tmp_path: Path) -> None:
    """A volume that is not there is a fault, not a site without benchmarks."""
    with pytest.raises(Unavailable):
        BenchmarkFolders(tmp_path / "none").list_benchmarks()
