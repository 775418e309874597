"""requirements.txt against the tools that read it: what is written for pip is plain, and means what was asked."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from core.domain.errors import InvalidInput
from core.usecases.requirements import PLAIN, parse

pytestmark = pytest.mark.unit

ESCAPES = [
    r"packaging; python_version > '3AAA\x24{PIP_INDEX_URL}\n'",
    r"packaging; python_version > '\x33\x27\x22'",
    r"packaging; python_version > '3\n--index-url=x'",
    r"packaging; python_version > '3\u0024{PIP_INDEX_URL}'",
    r"packaging; python_version > '3\44{PIP_INDEX_URL}'",
    r"packaging; python_version > '\N{DOLLAR SIGN}{PIP_INDEX_URL}'",
    r"packaging; python_version > '3\r'",
    r"packaging; python_version > '3\\'",
    "packaging; python_version > '3${PIP_INDEX_URL}'",
    "packaging; python_version > '$PIP_INDEX_URL'",
    "packaging; python_version > '3%(x)s'",
    "packaging; python_version > '{0.__class__}'",
    "packaging; python_version > '`id`'",
    "packaging; sys_platform == 'a#b'",
    "packaging; python_version > '3\u2028numpy'",
    "packaging; python_version > '3\x85numpy'",
    "packaging; python_version > '３'",
    "packaging===${PIP_INDEX_URL}",
    "packaging===1|2",
    "packaging===1&2",
    "packaging>=٣",
    "numpу",
]
NONSENSE = [
    "a; python_version ~= 'x'",
    "a; 'x' ~= 'y'",
    "a; os.name > '3' and",
    "a; " + "(" * 400 + "python_version > '3'" + ")" * 400,
    "a; no_such_name == 'x'",
    "a; __import__ == 'x'",
    "a; python_version > '3' or or python_version > '3'",
    "a[b",
    "a[]]",
    "[a]",
    "a>=1..2",
    "a>=1,,<2",
    "a<>1",
    "a~=1",
    "a==" + "9" * 990 + ".*.*",
    "a-",
    ".a",
    "a;",
    ";",
    ",",
    "(a)",
    "'a'",
]


@pytest.mark.parametrize("line", [*ESCAPES, *NONSENSE], ids=lambda line: ascii(line)[:40])
def test_what_is_not_one_plain_requirement_is_refused_in_words(line: str) -> None:
    """Never a crash, whatever a reader of it would raise; the line is named, and shown escaped."""
    started = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        parse(f"numpy\n{line}\n".encode())
    assert caught.value.faults
    assert all(fault.rule.startswith(("line 2:", "line 3:")) for fault in caught.value.faults)
    assert str(caught.value).isascii()
    assert time.process_time() - started < 2


def test_markers_that_people_write_pass() -> None:
    """As pip-tools, poetry and uv write them."""
    lines = [
        'tomli>=2; python_version < "3.11"',
        "colorama==0.4.6 ; sys_platform == 'win32'",
        'a[b,c]>=1!2.0,!=2.1.*; (python_full_version >= "3.9.0" and os_name != "x") or os_name in "nt posix"',
        "torch==2.5.0+cpu; platform_system == 'Linux' and implementation_name == 'cpython'",
        "x ; extra == 'dev'",
        "y (>=1.0)",
        "z>=1\t# why",
    ]
    assert len(parse("\n".join(lines).encode())) == len(lines)


MARKS = st.text(st.sampled_from("abAZ019 .,;<>=!~*+()[]'\"-_\\${}#@/:\n\r\t\x0b\x1c\x85\u2028é%x24N{}"), max_size=60)


@settings(deadline=None, max_examples=400)
@given(value=MARKS, quote=st.sampled_from("'\""), name=st.sampled_from(["python_version", "sys_platform", "os_name"]))
def test_any_text_in_a_marker_is_refused_or_written_as_it_was_meant(value: str, quote: str, name: str) -> None:
    """What passes is one printable line without an escape or a variable, and reads back as the same requirement."""
    with contextlib.suppress(InvalidInput):
        for line in parse(f"packaging; {name} == {quote}{value}{quote}\n".encode()):
            assert PLAIN.fullmatch(line), line
            assert line.splitlines() == [line]
            assert not set(line) & set("$\\{}#@/:%")
            again = Requirement(line)
            assert parse(line.encode()) == (line,)
            assert again.url is None


@settings(deadline=None, max_examples=300)
@given(raw=st.binary(max_size=200) | MARKS.map(str.encode))
def test_any_bytes_are_requirements_or_a_refusal(raw: bytes) -> None:
    """Nothing but InvalidInput is ever raised."""
    with contextlib.suppress(InvalidInput):
        assert all(PLAIN.fullmatch(line) for line in parse(raw))


def test_the_most_that_a_file_may_ask_is_checked_quickly() -> None:
    """64 KB of the longest lines: a second of CPU at most."""
    line = "a" * 50 + ">=1," * 60 + "<2; " + " or ".join(["python_version > '3'"] * 25)
    content = "\n".join(f"{line[:5]}{number}{line[5:]}"[:310] for number in range(200)).encode()
    started = time.process_time()
    with contextlib.suppress(InvalidInput):
        parse(content)
    assert time.process_time() - started < 3
