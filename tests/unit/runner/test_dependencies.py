"""The cache of installed packages, what pip and users are told of the index, and an attempt that asks for packages."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import JobState
from core.domain.limits import MEDIUM, RequirementsLimits
from core.domain.verdict import FailureReason
from core.ports.sandbox import SandboxSpec
from core.settings import Settings
from runner.engine.container_spec import job_options
from runner.requirements.cache import FOLDER, STAGING, DependencyCache
from runner.requirements.dependencies import Dependencies, key_of
from runner.requirements.index import Index
from runner.requirements.installer import ADVICE, RequirementsFailed
from runner.requirements.installer_spec import installer_options, proxy_options
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench
from tests.unit.runner.test_container_spec import spec_of

pytestmark = pytest.mark.unit

INDEX = Index(urls=("https://ann:secret@index.example:8443/simple", "http://other.example/simple"))
WHEEL = [{"name": "timm", "version": "1.0", "sha256": "ab" * 32}]


@dataclass(kw_only=True)
class FakeInstaller:
    """Writes one file; counts how often it was asked."""

    index: Index = INDEX
    calls: list[tuple[str, ...]] = field(default_factory=list)
    fails: str = ""

    def image_id(self, name: str) -> str:
        return f"sha256:{name}"

    def install(self, spec: SandboxSpec, wanted: tuple[str, ...], into: Path, **_rest: Any) -> list[dict[str, str]]:
        self.calls.append(wanted)
        if self.fails:
            raise RequirementsFailed(self.fails)
        (into / "timm.py").write_text("x = 1")
        return WHEEL


def cache(root: Path, kept_bytes: int = 10**9) -> DependencyCache:
    return DependencyCache(job_root=root, kept_bytes=kept_bytes)


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


def test_a_runner_that_sleeps_over_the_cache_keeps_no_other_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is waited for, and then it is the platform that fails, not the submission."""
    monkeypatch.setattr("runner.requirements.cache.LOCK_SECONDS", 0.3)
    kept = cache(tmp_path)
    filled(kept, "k")
    with kept._locked(), pytest.raises(Unavailable, match="does not let go"):
        kept.held("k", tmp_path)


def test_the_key_tells_wishes_image_and_index_apart() -> None:
    """An entry belongs to its exact content."""
    keys = {key_of(("a",), image_id="i", index="x"), key_of(("a", "b"), image_id="i", index="x"),
            key_of(("a",), image_id="j", index="x"), key_of(("a",), image_id="i", index="y")}  # fmt: skip
    assert len(keys) == 4


def test_users_read_no_address_of_the_index() -> None:
    """pip's lines are in the job's log."""
    shown = INDEX.hidden("at https://ann:secret@index.example:8443/simple/x HTTPSConnectionPool(host='index.example')")
    assert shown == "at (the index)/x HTTPSConnectionPool(host='(the index)')"
    assert "secret" not in repr(INDEX)


def test_the_proxy_lets_the_index_through_and_nothing_else() -> None:
    """By host and port; an index that keeps its files elsewhere says where."""
    assert INDEX.allowed == ("index.example:8443", "other.example:80")
    public = Index(urls=("https://index.example/simple",), more_hosts=("files.example",))
    assert public.allowed == ("files.example:443", "index.example:443")


def test_without_an_index_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that names none asks none: no address is built in."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    assert Index.of(Settings()).allowed == ()


def test_only_the_installer_gets_the_indexs_settings_and_no_way_out() -> None:
    """Its network is internal; neither the proxy nor a run knows the address with its password."""
    spec, walls = spec_of(MEDIUM), {"image_id": "i", "seccomp": "s"}
    options = installer_options(spec, INDEX, ("timm",), RequirementsLimits(), ca=Path("/ca.pem"), **walls)
    assert options["environment"]["PIP_INDEX_URL"] == INDEX.urls[0]
    assert (options["network"], options["user"]) == (f"packages-{spec.name}", "59001:59001")
    assert (options["read_only"], options["cap_drop"], options["mem_limit"]) == (
        True,
        ["ALL"],
        options["memswap_limit"],
    )
    run = job_options(replace(spec, dependencies=Path("/d")), slot=1, **walls)
    for others in (proxy_options(spec, INDEX, **walls), run):
        assert "secret" not in str(others)
    assert run["environment"]["PYTHONPATH"] == "/deps"
    (mount,) = [mount for mount in run["mounts"] if mount["Target"] == "/deps"]
    assert mount["ReadOnly"] is True


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    made = Bench(tmp_path, ProcessEngine(tmp_path / "engine"))
    made.limits = made.limits.model_copy(update={"requirements": True})
    return made


def test_the_second_run_finds_what_the_first_installed(bench: Bench[ProcessEngine]) -> None:
    """One installation; both logs and both records say what it was."""
    installer: Any = FakeInstaller()
    bench.dependencies = Dependencies(installer=installer, cache=cache(bench.root / "jobs"))
    for _run in range(2):
        job = bench.run(bench.claim(GOOD, requirements="timm\n"))
        assert job.state == "completed"
        assert f"timm==1.0 sha256:{'ab' * 32}" in bench.log_of(job)
        assert len(bench.tracking.results[job.job_id][1].tags["leadersboard.dependencies"]) == 64
    assert installer.calls == [("timm",)]
    tree = bench.engine.launched[0].dependencies
    assert tree is not None
    assert (tree / "timm.py").exists()


def test_packages_that_had_to_make_room_at_once_are_no_fault_of_the_submission(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another runner published between the installation and the run's hold on it."""
    installer: Any = FakeInstaller()
    bench.dependencies = Dependencies(installer=installer, cache=cache(bench.root / "jobs"))
    monkeypatch.setattr(DependencyCache, "held", lambda *_asked: None)
    job = bench.run(bench.claim(GOOD, requirements="timm\n"))
    assert (job.state, job.failure_reason) == (JobState.PENDING, None)


@pytest.mark.parametrize(
    ("requirements", "fails", "words"),
    [
        ("timm\n", f"It failed; here:\n[leadersboard] pip says no\n{ADVICE}", "pip's last lines"),
        ("-e .\n", "", "option of pip"),
    ],
)
def test_what_cannot_be_installed_fails_the_job_with_words(
    bench: Bench[ProcessEngine], requirements: str, fails: str, words: str
) -> None:
    """BOX-9: the reason is `requirements`; nothing was run."""
    installer: Any = FakeInstaller(fails=fails)
    bench.dependencies = Dependencies(installer=installer, cache=cache(bench.root / "jobs"))
    job = bench.run(bench.claim(GOOD, requirements=requirements))
    assert (job.state, job.failure_reason) == ("failed", FailureReason.REQUIREMENTS)
    assert words in (job.error_message or "")
    if fails:
        log = bench.storage.log_path(job.job_id).read_bytes()
        assert b"\n[leadersboard] pip says no\n\xff[leadersboard] Check names" in log, "pip is on the run's channel"
    assert bench.engine.launched == []


def test_a_class_without_requirements_fails_such_a_run(bench: Bench[ProcessEngine]) -> None:
    """Also when the job was admitted before the setting changed."""
    bench.limits = bench.limits.model_copy(update={"requirements": False})
    job = bench.run(bench.claim(GOOD, requirements="timm"))
    assert (job.state, job.failure_reason) == ("failed", FailureReason.REQUIREMENTS)


def test_a_runner_that_installs_nothing_says_so(bench: Bench[ProcessEngine]) -> None:
    """Without an installer the run is refused, not run without its packages."""
    job = bench.run(bench.claim(GOOD, requirements="timm"))
    assert "installs no packages" in (job.error_message or "")
