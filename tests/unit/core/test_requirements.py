"""requirements.txt: names and versions of the site's index pass; what reaches further is named and refused."""

from __future__ import annotations

import pytest

from core.domain.errors import InvalidInput
from core.usecases.requirements import MAX_REQUIREMENTS, parse

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
    for content in (b"#" * 70_000, b"\x81\xff", b"\n".join(b"a%d" % n for n in range(MAX_REQUIREMENTS + 1))):
        with pytest.raises(InvalidInput):
            parse(content)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("numpy=2.1=py311_0", "write numpy==2.1"),
        ("numpy=2.1", "write numpy==2.1"),
        ("numpy 2.1", "write numpy==2.1"),
        ("- numpy=2.1=py311_0", "write numpy==2.1"),
        ("numpy                  2.1    py311_0", "write numpy==2.1"),
        ("numpy @ file:///croot/numpy_1707/work", "write numpy==VERSION, or numpy alone"),
        ("numpy @ file:///home/x/numpy-2.1.3-cp313-cp313-linux_x86_64.whl", "write numpy==2.1.3"),
        ("numpy @ https://example.org/numpy-2.1.tar.gz", "write numpy==2.1"),
    ],
)
def test_a_line_of_conda_is_answered_with_what_to_write(line: str, words: str) -> None:
    """Field case 19."""
    with pytest.raises(InvalidInput) as caught:
        parse(f"{line}\n".encode())
    assert words in caught.value.faults[0].rule


def test_a_list_of_powershell_is_read() -> None:
    """`pip freeze > requirements.txt` writes UTF-16 there."""
    assert parse("numpy==2.1\r\n".encode("utf-16")) == ("numpy==2.1",)


def test_another_encoding_says_how_to_save() -> None:
    with pytest.raises(InvalidInput, match="is in an encoding other than UTF-8; save it as UTF-8"):
        parse("numpy # \u8868".encode("cp932"))
