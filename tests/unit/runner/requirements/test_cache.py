"""The cache of installed packages: whole entries only, and none that a run uses goes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from runner.requirements.cache import FOLDER, STAGING, DependencyCache
from tests.unit.runner.requirements.installations import WHEEL, cache

pytestmark = pytest.mark.unit


def filled(kept: DependencyCache, key: str, size: int = 100) -> None:
    with kept.staging() as staging:
        (staging / "tree" / "a.py").write_text("x" * size)
        kept.publish(key, staging, WHEEL)


def run_folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def test_an_entry_is_found_again_with_what_it_is_made_of(tmp_path: Path) -> None:
    """And nothing of its making stays beside it."""
    filled(cache(tmp_path), "k1")
    entry = cache(tmp_path).held("k1", run_folder(tmp_path, "run"))
    assert entry is not None
    assert ([*entry.packages], (entry.tree / "a.py").read_text()) == (WHEEL, "x" * 100)
    assert (tmp_path / "run" / "dependencies").read_text() == "k1"
    assert not list((tmp_path / FOLDER).glob(".new-*"))


def test_an_installation_that_breaks_off_publishes_nothing(tmp_path: Path) -> None:
    """Complete or not there at all."""
    kept = cache(tmp_path)
    with suppress(OSError), kept.staging() as staging:
        (staging / "tree" / "half.py").write_text("x")
        raise OSError("full")
    assert kept.held("k1", run_folder(tmp_path, "run")) is None
    assert not list((tmp_path / FOLDER).glob("k1*"))


def test_what_is_published_is_never_written_again(tmp_path: Path) -> None:
    """Two jobs that install the same at once: the second one's copy is dropped."""
    kept = cache(tmp_path)
    filled(kept, "k1", size=1)
    filled(kept, "k1", size=2)
    assert (tmp_path / FOLDER / "k1" / "tree" / "a.py").read_text() == "x"


def test_an_entry_that_was_tampered_with_is_not_used(tmp_path: Path) -> None:
    """Its digest is looked at each time."""
    filled(cache(tmp_path), "k1")
    (tmp_path / FOLDER / "k1" / "tree" / "evil.py").write_text("x")
    assert cache(tmp_path).held("k1", run_folder(tmp_path, "run")) is None


def test_the_least_recently_used_goes_and_never_one_in_use(tmp_path: Path) -> None:
    """Bounded by size; a run's own entry and the newest stay."""
    kept = cache(tmp_path)
    for age, key in enumerate(("held", "old", "used")):
        filled(kept, key)
        os.utime(tmp_path / FOLDER / key / "record.json", (1000 + age, 1000 + age))
    assert kept.held("held", run_folder(tmp_path, "run")) is not None
    os.utime(tmp_path / FOLDER / "held" / "record.json", (1, 1))
    filled(cache(tmp_path, kept_bytes=250), "new")
    assert {path.name for path in (tmp_path / FOLDER).iterdir() if path.name[0] != "."} == {"held", "new"}


def test_stale_staging_folders_go(tmp_path: Path) -> None:
    """What a killed runner left, at once where its mark says so; what a living one has in the making stays."""
    kept = cache(tmp_path)
    filled(kept, "k1")
    dead, living, old, young = (
        tmp_path / FOLDER / f".new-{name}{'0' * 16}"
        for name in ("h1-0123456789abcdef-", "h1-fedcba9876543210-", "", "")
    )
    young = young.with_name(".new-" + "1" * 16)
    for path in (dead, living, old, young):
        (path / "tree").mkdir(parents=True)
    os.utime(old, (1, 1))
    assert kept.clear(lambda mark: mark == "h1-0123456789abcdef") == 2
    assert [path.exists() for path in (dead, living, old, young)] == [False, True, False, True]
    assert kept.held("k1", run_folder(tmp_path, "run")) is not None


def test_what_is_in_the_making_carries_the_mark_of_its_process(tmp_path: Path) -> None:
    """A folder, a file, and an entry that is being dropped."""
    kept = DependencyCache(job_root=tmp_path, kept_bytes=0, process="h1-0123456789abcdef")
    with kept.staging() as staging:
        assert STAGING.fullmatch(staging.name)
        assert kept.clear(lambda _mark: False) == 0
        assert kept.clear(lambda mark: mark == "h1-0123456789abcdef") == 1
        assert not staging.exists()


@pytest.mark.slow
def test_a_runner_that_sleeps_over_the_cache_keeps_no_other_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is waited for, and then it is the platform that fails, not the submission."""
    monkeypatch.setattr("runner.requirements.cache.LOCK_SECONDS", 0.3)
    kept = cache(tmp_path)
    filled(kept, "k")
    with kept._locked(), pytest.raises(Unavailable, match="does not let go"):
        kept.held("k", tmp_path)
