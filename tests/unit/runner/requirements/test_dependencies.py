"""An attempt that asks for packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.domain.job import JobState
from core.domain.verdict import FailureReason
from core.ports.sandbox import SandboxSpec
from runner.requirements.cache import DependencyCache
from runner.requirements.dependencies import Dependencies, key_of
from runner.requirements.index import Index
from runner.requirements.installer import ADVICE, RequirementsFailed
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner
from tests.unit.runner.requirements.installations import IMAGE, INDEX, WHEEL, cache

pytestmark = pytest.mark.unit


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


def test_the_key_tells_wishes_image_and_index_apart() -> None:
    """An entry belongs to its exact content."""
    keys = {key_of(("a",), image_id="i", index="x"), key_of(("a", "b"), image_id="i", index="x"),
            key_of(("a",), image_id="j", index="x"), key_of(("a",), image_id="i", index="y")}  # fmt: skip
    assert len(keys) == 4


@pytest.fixture
def runner(runner: TwinRunner[ProcessEngine]) -> TwinRunner[ProcessEngine]:
    runner.limits = runner.limits.model_copy(update={"requirements": True})
    return runner


def installing(runner: TwinRunner[ProcessEngine], installer: Any) -> Dependencies:
    return Dependencies(
        installer=installer, cache=cache(runner.root / "jobs"), packages_of=lambda _image: IMAGE, installing=["medium"]
    )


def test_the_second_run_finds_what_the_first_installed(runner: TwinRunner[ProcessEngine]) -> None:
    """One installation; both logs and both records say what it was."""
    installer: Any = FakeInstaller()
    runner.dependencies = installing(runner, installer)
    for _run in range(2):
        job = runner.run(runner.claim(GOOD, requirements="timm\n"))
        assert job.state == "completed"
        assert f"timm==1.0 sha256:{'ab' * 32}" in runner.log_of(job)
        assert len(runner.tracking.results[job.job_id][1].tags["leadersboard.dependencies"]) == 64
    assert installer.calls == [("timm",)]
    tree = runner.engine.launched[0].dependencies
    assert tree is not None
    assert (tree / "timm.py").exists()


def test_packages_that_had_to_make_room_at_once_are_no_fault_of_the_submission(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another runner published between the installation and the run's hold on it."""
    installer: Any = FakeInstaller()
    runner.dependencies = installing(runner, installer)
    monkeypatch.setattr(DependencyCache, "held", lambda *_asked: None)
    job = runner.run(runner.claim(GOOD, requirements="timm\n"))
    assert (job.state, job.failure_reason) == (JobState.PENDING, None)


@pytest.mark.parametrize(
    ("requirements", "fails", "words"),
    [
        ("timm\n", f"It failed; here:\n[leadersboard] pip says no\n{ADVICE}", "pip's last lines"),
        ("-e .\n", "", "option of pip"),
    ],
)
def test_what_cannot_be_installed_fails_the_job_with_words(
    runner: TwinRunner[ProcessEngine], requirements: str, fails: str, words: str
) -> None:
    """BOX-9: the reason is `requirements`; nothing was run."""
    installer: Any = FakeInstaller(fails=fails)
    runner.dependencies = installing(runner, installer)
    job = runner.run(runner.claim(GOOD, requirements=requirements))
    assert (job.state, job.failure_reason) == ("failed", FailureReason.REQUIREMENTS)
    assert words in (job.error_message or "")
    if fails:
        log = runner.storage.log_path(job.job_id).read_bytes()
        assert b"\n[leadersboard] pip says no\n\xff[leadersboard] Check names" in log, "pip is on the run's channel"
    assert runner.engine.launched == []


@pytest.mark.parametrize(
    ("urls", "advice"), [(INDEX.urls, "Use class medium, which installs packages."), ((), "This site installs none")]
)
def test_a_class_that_installs_nothing_says_what_the_image_lacks(
    runner: TwinRunner[ProcessEngine], urls: tuple[str, ...], advice: str
) -> None:
    """Also when the job was admitted before the setting changed."""
    runner.limits = runner.limits.model_copy(update={"requirements": False})
    runner.dependencies = installing(runner, FakeInstaller(index=Index(urls=urls)))
    job = runner.run(runner.claim(GOOD, requirements="timm\ntorch==2.5.1+cu121\n"))
    assert (job.state, job.failure_reason) == ("failed", FailureReason.REQUIREMENTS)
    assert "the image has no timm" in (job.error_message or "")
    assert "the image has torch 2.15.0+cpu" in (job.error_message or "")
    assert advice in (job.error_message or "")


def test_what_the_image_has_needs_no_installing_class_and_no_index(runner: TwinRunner[ProcessEngine]) -> None:
    """FLD-8: nothing is installed, and the run begins."""
    runner.limits = runner.limits.model_copy(update={"requirements": False})
    installer = FakeInstaller(index=Index(urls=()))
    runner.dependencies = installing(runner, installer)
    job = runner.run(runner.claim(GOOD, requirements="torch>=2\nPyYAML\n"))
    assert job.state == "completed"
    assert "the sandbox image has all of them" in runner.log_of(job)
    assert installer.calls == []
    assert runner.engine.launched[0].dependencies is None


def test_a_runner_that_installs_nothing_says_so(runner: TwinRunner[ProcessEngine]) -> None:
    """Without an installer the run is refused, not run without its packages."""
    job = runner.run(runner.claim(GOOD, requirements="timm"))
    assert "installs no packages" in (job.error_message or "")
