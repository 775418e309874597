"""requirements.txt against what the sandbox image has, at upload and when a job is posted (FLD-8)."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.requirements import Requirement

from core.domain.errors import InvalidInput
from core.domain.image_packages import ImagePackage, ImagePackages
from core.domain.limits import MEDIUM, SMALL
from core.domain.submission import Submission
from core.usecases.create_submission import CreateSubmission
from core.usecases.look_at_files import LookAtFiles
from core.usecases.requirements_check import RequirementsCheck
from tests.builders import MAIN, upload
from tests.twins.runners import MemoryRunners
from tests.unit.core.reported_images import told
from tests.unit.core.usecase_site import Site
from tests.unit.runner.requirements.installations import IMAGE

pytestmark = pytest.mark.unit


def uploaded(site: Site, requirements: bytes, **fields: Any) -> Submission:
    check = RequirementsCheck(runners=site.ports.runners, resource_classes=[SMALL, MEDIUM])
    create = CreateSubmission(storage=site.ports.storage, look_inside=LookAtFiles(requirements=check))
    return create(upload({"main.py": MAIN, "config.yaml": b"", "requirements.txt": requirements}, **fields))


def faults_of(site: Site, requirements: bytes, **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        uploaded(site, requirements, **fields)
    return [(fault.field, fault.rule) for fault in caught.value.faults]


def posted(site: Site, submission: Submission, resource_class: str) -> list[tuple[str, str]]:
    """The faults of a job of this class; none if it is admitted."""
    try:
        site.enqueue(config={"resource_class": resource_class}, submission_id=submission.submission_id)
    except InvalidInput as error:
        return [(fault.field, fault.rule) for fault in error.faults]
    return []


def test_what_the_image_has_is_accepted_in_every_class_without_a_word(site: Site) -> None:
    """Field case 21."""
    told(site.ports.runners, installs=False)
    found = uploaded(site, b"torch\nnumpy\npyyaml\nanomalib[cpu]\nwin-only; sys_platform == 'win32'\n")
    assert found.notes == ()
    assert posted(site, found, "small") == []


def test_what_is_missing_names_the_class_that_installs(site: Site) -> None:
    """With the upload as a note, since that class can run it; when a job of another is posted as faults."""
    told(site.ports.runners)
    found = uploaded(site, b"torch==2.5.1+cu121\ntimm>=1\n")
    (note,) = found.notes
    assert "line 1 asks for 'torch==2.5.1+cu121'; the image has torch 2.15.0+cpu" in note
    assert "if that will do, write torch;" in note
    assert "Use class medium, which installs packages" in note
    assert "RESOURCE_CLASSES" not in note
    assert [field for field, _rule in posted(site, found, "small")] == [
        "requirements.txt", "requirements.txt", "config.resource_class",
    ]  # fmt: skip
    assert posted(site, found, "medium") == []


def test_what_no_class_can_run_is_refused_with_the_upload(site: Site) -> None:
    told(site.ports.runners, installs=False)
    faults = faults_of(site, b"timm\n")
    assert [field for field, _rule in faults] == ["requirements.txt"] * 2
    assert "This site installs no packages: do without what is missing, or ask its admin for it" in faults[-1][1]


def test_all_faults_are_told_at_once(site: Site) -> None:
    """FLD-2: entrypoint, config file and every line."""
    faults = faults_of(site, b"numpy=2.1=py311_0\n-e .\n", entrypoint="run.py", config_file="c.yaml")
    assert [field for field, _rule in faults] == ["entrypoint", "config_file", "requirements.txt", "requirements.txt"]
    assert site.ports.storage.list_submissions(limit=200).submissions[0].submission_id == site.submission_id


@pytest.mark.parametrize("reported", [False, True])
def test_where_the_image_is_not_known_nothing_is_said(site: Site, *, reported: bool) -> None:
    """The run finds out: no runner yet, one of an older version, or one whose list is not there yet."""
    if reported:
        told(site.ports.runners, image=None)
    found = uploaded(site, b"timm\n")
    assert found.notes == ()
    assert posted(site, found, "small") == []


def test_a_job_may_find_itself_in_the_image_of_any_runner(site: Site) -> None:
    """What one of two images lacks is missing."""
    told(site.ports.runners, installs=False)
    told(
        site.ports.runners,
        installs=False,
        image=ImagePackages(image_id="sha256:2", markers={}, packages=()),
        name="box:2",
    )
    assert "the image has no torch" in faults_of(site, b"torch\n")[0][1]


def test_what_another_classs_own_image_has_names_that_class(site: Site) -> None:
    """Each class is compared with the image of its own runs."""
    own = ImagePackages(image_id="sha256:9", markers={}, packages=(ImagePackage(name="mmcv", version="2.2"),))
    told(site.ports.runners, installs=False, medium_image=own)
    found = uploaded(site, b"mmcv>=2\n")
    assert "the image has no mmcv" in found.notes[0]
    assert "Use class medium, which has what is asked for" in found.notes[0]
    assert posted(site, found, "medium") == []
    assert posted(site, found, "small")[0] == ("requirements.txt", "line 1 asks for 'mmcv>=2'; the image has no mmcv")


def test_a_silent_runner_says_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    told(site.ports.runners, installs=False)
    at = MemoryRunners().clock()
    monkeypatch.setattr(site.ports.runners, "clock", lambda: at + 100)
    assert uploaded(site, b"timm\n").notes == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("torch>=2.15", None),
        ("torch==2.15.0", None),
        ("torch==2.15.0+cu121", "the image has torch 2.15.0+cpu"),
        ("numpy>=2.2", None),
        ("numpy<2", "the image has numpy 2.3.0rc1"),
        ("opencv-python", "the image has no opencv-python, but opencv-python-headless, which has the same module"),
        ("anomalib[cpu]", None),
        ("anomalib[full]", "the image has no openvino"),
        ("timm; python_version < '3.13'", None),
        ("timm; python_version >= '3.13'", "the image has no timm"),
    ],
)
def test_requirements_are_read_as_pip_reads_them(line: str, words: str | None) -> None:
    """Local versions, pre-releases, extras, and markers by the image's Python."""
    lack = IMAGE.lack_of(Requirement(line))
    assert (lack.words if lack else None) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("anomalib[full]", "line 1 asks for 'anomalib[full]'; the image has no openvino"),
        ("sklearn", "line 1 asks for 'sklearn'; the image has no sklearn"),
        ("opencv-python>=4", "but opencv-python-headless, which has the same module: write that name"),
        ("numpy<2", "the image has numpy 2.3.0rc1: if that will do, write numpy"),
    ],
)
def test_each_line_is_told_as_it_was_asked(site: Site, line: str, words: str) -> None:
    told(site.ports.runners)
    (note,) = uploaded(site, line.encode()).notes
    assert f"{words};" in note


def test_many_missing_lines_are_counted(site: Site) -> None:
    told(site.ports.runners, installs=False)
    faults = faults_of(site, "\n".join(f"p{number}" for number in range(50)).encode())
    assert faults[10][1] == "and 40 more lines"
    assert len(faults) == 12


def test_extras_that_need_each_other_end() -> None:
    needs = ('a[y]; extra == "x"', 'a[x]; extra == "y"', 'b; extra == "y"')
    image = ImagePackages(image_id="i", markers={}, packages=(ImagePackage(name="a", version="1", extra_needs=needs),))
    lack = image.lack_of(Requirement("a[x,unknown]"))
    assert lack is not None
    assert lack.words == "the image has no b"
    assert image.lack_of(Requirement("a[unknown]")) is None
