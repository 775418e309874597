"""Uploads that are too large, cut off or malformed: refused as soon as that is known."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from core.domain.limits import UploadLimits
from tests.builders import MAIN, SMALL_LIMITS
from tests.forms import END, FORM, HEAD, fields_of, part
from tests.sites import Site

pytestmark = pytest.mark.unit


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", HEAD + MAIN + END),
        ("multipart/form-data; boundary=", HEAD + MAIN + END),
        ("multipart/form-data; boundary=other", HEAD + MAIN + END),
        ("multipart/form-data; boundary=" + "B" * 3000, HEAD + MAIN + END),
        ("multipart/form-data; boundary=B; charset=undefined", HEAD + MAIN + END),
        ("multipart/form-data; boundary=B; charset=punycode", part("xn--\xff", b"", "x")),
        ("multipart/form-data; boundary=B; charset=utf-7", part("+2AA-", b"x") + b"--B--\r\n"),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", b"hello"),
        ("multipart/form-data; boundary=B", b"--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\n\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\nBad Header\r\n\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\n" + b"X: y\r\n" * 5000 + b"\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--B--\r\n"),
    ],
)
def test_a_malformed_form_is_refused(site: Site, kind: str, body: bytes) -> None:
    """SUB-2: whatever is wrong with it, 422 and nothing stored."""
    answer = site.as_("ada").post("/submissions", content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 422, answer.text
    assert site.stored() == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("", HEAD + MAIN + END),
        ("", b""),
        ("text/multipart/form-data", HEAD + MAIN + END),
        ("multipart/mixed; boundary=B", HEAD + MAIN + END),
        ("application/x-www-form-urlencoded", b"files=main.py"),
    ],
)
def test_what_is_no_form_at_all_is_refused_unread(site: Site, kind: str, body: bytes) -> None:
    """SUB-2: 415 says which type an upload has; not one byte is asked for, and nothing is stored."""
    answer = site.send("/submissions", [body], headers={"Content-Type": kind} if kind else {})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "multipart/form-data" in answer.json()["detail"]
    assert answer.chunks_read == 0
    assert site.stored() == []


def test_a_form_that_is_cut_off_anywhere_is_refused(site: Site) -> None:
    """SUB-6: without its closing boundary an upload is not complete, though its first files are."""
    body = part("files", MAIN, "main.py") + part("files", b"x" * 40, "a.py") + b"--B--\r\n"
    assert site.as_("ada").post("/submissions", content=body[:-2], headers=FORM).status_code == 201
    before = site.stored()
    for length in range(0, len(body) - 3, 7):
        assert site.as_("ada").post("/submissions", content=body[:length], headers=FORM).status_code == 422, length
    assert site.stored() == before


def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    """SUB-6, R19: the connection is lost in the middle of a file."""
    answer = site.send("/submissions", [HEAD, b"x" * 1000], headers=FORM, breaks_off=True)
    assert answer.status == 422
    assert site.stored() == []


def test_an_upload_in_single_bytes_is_whole(site: Site) -> None:
    """However the network cuts it."""
    body = part("files", MAIN, "main.py") + part("entrypoint", b"main.py") + b"--B--\r\n"
    answer = site.send("/submissions", (body[n : n + 1] for n in range(len(body))), headers=FORM)
    assert answer.status == 201
    assert answer.json()["files"] == [{"path": "main.py", "size_bytes": len(MAIN)}]


def test_an_upload_over_the_limit_is_refused_while_it_arrives(site: Site) -> None:
    """H80, SUB-2: 413 at the first byte too many, whatever the sender still has to say."""
    chunks = (HEAD if number == 0 else b"x" * 10_000 for number in range(1000))
    answer = site.send("/submissions", chunks, headers=FORM)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["errors"][0]["field"] == "files"
    assert answer.chunks_read <= SMALL_LIMITS.request_bytes // 10_000 + 2
    assert site.stored() == []


@pytest.mark.parametrize("declared", ["200001", "99999999999999999999999999"])
def test_a_declared_length_over_the_limit_is_refused_unread(site: Site, declared: str) -> None:
    """H80: not one byte of it is asked for."""
    answer = site.send("/submissions", [HEAD + MAIN + END], headers=FORM | {"Content-Length": declared})
    assert (answer.status, answer.chunks_read) == (413, 0)
    assert "leave out data, which runs find in /data" in answer.json()["detail"]
    assert "weights that the site has in /weights" in answer.json()["detail"]
    assert "its admin adds others of any size: docs/weights.md" in answer.json()["detail"]


@pytest.mark.parametrize("declared", ["1", "0", "-5", "x", "²", ""])
def test_a_false_length_is_not_believed(site: Site, declared: str) -> None:
    """H80: what arrives is counted, whatever was said."""
    chunks = (HEAD if number == 0 else b"x" * 10_000 for number in range(1000))
    answer = site.send("/submissions", chunks, headers=FORM | {"Content-Length": declared})
    assert answer.status == 413


def test_an_upload_at_the_limit_passes(site: Site) -> None:
    """The limit itself is within it."""
    room = SMALL_LIMITS.request_bytes - len(HEAD) - len(END)
    assert site.send("/submissions", [HEAD, b"#" * room, END], headers=FORM).status == 201
    assert site.send("/submissions", [HEAD, b"#" * (room + 1), END], headers=FORM).status == 413


def test_memory_stays_flat_during_a_large_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """H80: 64 MB that arrive piece by piece never stand in memory, and their temporary file has no name."""
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    piece = b"#" * 256 * 1024
    seen: list[object] = []

    def chunks() -> Iterator[bytes]:
        yield HEAD
        for _number in range(256):
            seen.extend(spool.iterdir())
            yield piece
        yield END

    limits = UploadLimits(unpacked_bytes=SMALL_LIMITS.unpacked_bytes)
    with closing(Site(tmp_path / "site", upload=limits)) as site:
        site.as_("ada")
        tracemalloc.start()
        try:
            answer = site.send("/submissions", chunks(), headers=FORM)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert answer.status == 413  # of what is stored less is taken than of what arrives
    assert answer.chunks_read == 258
    assert peak < 8 * MIB
    assert seen == []


@pytest.mark.slow
def test_too_many_files_or_too_long_a_field_are_refused(site: Site) -> None:
    """H85: six files of five, a field of 2,001 bytes."""
    many = b"".join(part("files", b"", f"{number}.py") for number in range(6))
    long = part("files", MAIN, "main.py") + part("metadata", b" " * 2001)
    for body in (many, long):
        answer = site.as_("ada").post("/submissions", content=body + b"--B--\r\n", headers=FORM)
        assert fields_of(answer) == {"body"}
    assert site.stored() == []


def test_a_nearly_full_disk_is_507(tmp_path: Path) -> None:
    """RUN-7: a clear message instead of a crash."""
    with closing(Site(tmp_path, min_free_bytes=2**62)) as site:
        answer = site.as_("ada").post("/submissions", files=[("files", ("main.py", MAIN))])
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert "admin" in answer.json()["detail"]


@hypothesis.settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(
        st.sampled_from(
            [HEAD, MAIN, b"\r\n", b"--B", b"--", END, part("metadata", b"{}"), b"\x00", b"\xff", b"x" * 50]
        ),
        max_size=8,
    )
)
def test_no_form_at_all_breaks_the_gateway(site: Site, pieces: list[bytes]) -> None:
    """Any bytes are a submission or a refusal."""
    assert site.send("/submissions", pieces, headers=FORM).status in {201, 413, 422}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_metadata_as_windows_saves_it_are_read(site: Site, encoding: str) -> None:
    """FLD-1: `-F 'metadata=<about.json'` with a file of Notepad's or of PowerShell's."""
    body = part("files", MAIN, "main.py") + part("metadata", '{"team": "\u50b7"}'.encode(encoding)) + b"--B--\r\n"
    answer = site.as_("ada").post("/submissions", content=body, headers=FORM)
    assert answer.status_code == 201, answer.text
    assert answer.json()["metadata"] == {"team": "\u50b7"}


def test_a_field_in_another_encoding_says_how_to_save(site: Site) -> None:
    body = part("files", MAIN, "main.py") + part("metadata", '{"a": "\u8868"}'.encode("cp932")) + b"--B--\r\n"
    answer = site.as_("ada").post("/submissions", content=body, headers=FORM)
    assert answer.status_code == 422
    assert "metadata: is in an encoding other than UTF-8; save it as UTF-8" in answer.json()["detail"]
