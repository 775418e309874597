"""requirements.txt: names and versions of the site's index pass; what reaches further is named and refused."""

from __future__ import annotations

import io

import pytest

from core.domain.errors import InvalidInput
from core.domain.submission import Upload, UploadedFile
from core.usecases.requirements import MAX_REQUIREMENTS, RequirementsCheck, parse
from tests.unit.core.usecase_site import Site

pytestmark = pytest.mark.unit


def test_names_and_versions_are_kept_in_one_spelling() -> None:
    """The same wishes in another order, case or layout are the same entry of the cache."""
    one = parse(b"# ours\n\nTimm >=1.0,<2  # models\nscikit_Image[Data]==0.25; python_version > '3.10'\r\n")
    other = parse(b"\xef\xbb\xbfscikit-image[data]==0.25;python_version>'3.10'\ntimm<2,>=1.0\ntimm<2,>=1.0\n")
    assert one == other == ('scikit-image[data]==0.25; python_version > "3.10"', "timm<2,>=1.0")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-e .", "option of pip"),
        ("--index-url https://evil.example/simple", "option of pip"),
        ("--extra-index-url=http://x/", "option of pip"),
        ("-r other.txt", "option of pip"),
        ("-f /tmp", "option of pip"),
        ("numpy --hash=sha256:00", "option of pip"),
        ("numpy --config-settings x=y", "option of pip"),
        ("git+https://example.org/x.git", "address or a path"),
        ("x @ https://example.org/x.whl", "address or a path"),
        ("x@file:///etc/passwd", "address or a path"),
        ("file:///etc/passwd", "address or a path"),
        ("file:etc", "address or a path"),
        ("./x", "address or a path"),
        ("../x", "address or a path"),
        ("/job", "address or a path"),
        ("~/x", "address or a path"),
        (".", "address or a path"),
        ("${HOME}", "variables"),
        ("numpy\\", "variables"),
        ("evil.whl", "is a file"),
        ("evil.zip", "is a file"),
        ("evil.tar.gz ; python_version > '3'", "is a file"),
        ("job/main.py", "no requirement"),
        ("numpy=1", "no requirement"),
        ("numpy>=", "no requirement"),
        ("num\x00py", "printable"),
        ("x" * 2000, "printable"),
    ],
)
def test_what_reaches_beyond_the_index_is_refused_by_line(line: str, words: str) -> None:
    """Every line is judged; the answer names its number and what is wrong."""
    with pytest.raises(InvalidInput) as caught:
        parse(f"numpy\n{line}\n".encode())
    (fault,) = caught.value.faults
    assert fault.rule.startswith("line 2: ")
    assert words in fault.rule


def test_the_whole_file_is_bounded() -> None:
    """Size, number of packages and encoding."""
    for content in (b"#" * 70_000, b"\xff\xfe", b"\n".join(b"a%d" % n for n in range(MAX_REQUIREMENTS + 1))):
        with pytest.raises(InvalidInput):
            parse(content)


def _with(site: Site, requirements: bytes) -> str:
    files = [UploadedFile(name="main.py", content=io.BytesIO(b"")),
             UploadedFile(name="requirements.txt", content=io.BytesIO(requirements))]  # fmt: skip
    return site.ports.storage.create_submission(Upload(user_id="ada", files=files), {}).submission_id


def test_a_class_that_installs_nothing_says_so_when_the_job_is_posted(site: Site) -> None:
    """BOX-7: at once, with the class and the setting, and with a way out."""
    check = RequirementsCheck(storage=site.ports.storage, classes_without=["small"])
    (fault,) = check.faults(_with(site, b"timm\n"), "small")
    assert fault.field == "config.resource_class"
    assert all(word in fault.rule for word in ("'small'", "requirements.txt", "RESOURCE_CLASSES"))
    assert check.faults(_with(site, b"timm\n"), "medium") == []


@pytest.mark.parametrize("content", [b"# nothing\n\n", b""])
def test_a_file_that_asks_for_nothing_is_none(site: Site, content: bytes) -> None:
    """Templates come with an empty file; that is no reason to refuse them."""
    check = RequirementsCheck(storage=site.ports.storage, classes_without=["small"])
    assert check.faults(_with(site, content), "small") == []


def test_a_bad_line_is_told_when_the_job_is_posted(site: Site) -> None:
    """The job is not admitted: nothing waits in the queue only to fail."""
    with pytest.raises(InvalidInput) as caught:
        site.enqueue(config={"resource_class": "medium"}, submission_id=_with(site, b"-e .\n"))
    assert [fault.field for fault in caught.value.faults] == ["requirements.txt"]
