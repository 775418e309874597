"""Requests made to break the door: each gets a declared status in the one shape, and the door stays open."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from gateway.problems import document as problems
from tests.running_gateway import Door

pytestmark = pytest.mark.integration

JSON = {"Content-Type": "application/json"}
UNKNOWN = "0" * 32


@pytest.fixture
def client(door: Door) -> Iterator[httpx2.Client]:
    with door.client() as opened:
        yield opened


def assert_problem(answer: httpx2.Response, *statuses: int) -> dict[str, Any]:
    """The answer is a problem document with one of the statuses, a known code, and its request's id."""
    assert answer.status_code in statuses, answer.text[:300]
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["detail"]
    return body


def main_py(name: str = "main.py", content: bytes = b"print(1)\n") -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", (name, content))]


HOSTILE_JSON = {
    "1 MB of nesting": b"[" * 1_000_000,
    "60 kB of nesting": b'{"a":' * 12_000,
    "nesting that closes": b'{"submission_id":"x","config":{"a":' + b"[" * 900 + b"]" * 900 + b"}}",
    "NaN": b'{"submission_id":"x","config":{"a":NaN}}',
    "infinity": b'{"submission_id":"x","config":{"a":-Infinity}}',
    "infinity by size": b'{"submission_id":"x","config":{"a":1e999}}',
    "a huge integer": b'{"submission_id":"x","config":{"a":' + b"9" * 5000 + b"}}",
    "65 bits": b'{"submission_id":"x","config":{"a":18446744073709551616}}',
    "a key twice": b'{"submission_id":"x","submission_id":"y"}',
    "a key twice, deep": b'{"submission_id":"x","config":{"a":{"b":1,"b":2}}}',
    "a lone surrogate": b'{"submission_id":"\\ud800","config":{}}',
    "a lone surrogate as a key": b'{"submission_id":"x","config":{"\\udfff":1}}',
    "NUL": b'{"submission_id":"a\\u0000b","config":{}}',
    "NUL in a value": b'{"submission_id":"x","config":{"benchmark":"a\\u0000"}}',
    "invalid UTF-8": b'{"submission_id":"\xff"}',
    "UTF-16 without its mark": '{"submission_id":"x"}'.encode("utf-16-le"),
    "nothing": b" ",
    "half": b'{"submission_id":"x"',
    "an array": b"[]",
    "a number": b"1",
    "null": b"null",
    "wrong types": b'{"submission_id":7,"config":[]}',
    "an unknown field": b'{"submission_id":"x","admin":true}',
}


@pytest.mark.parametrize("body", HOSTILE_JSON.values(), ids=HOSTILE_JSON.keys())
def test_json_that_means_two_things_or_none_is_refused_in_words(client: httpx2.Client, body: bytes) -> None:
    answer = client.post("/jobs", content=body, headers=JSON)
    faults = assert_problem(answer, 413, 422)["errors"]
    assert faults
    assert all(fault["field"] and fault["rule"] for fault in faults)


def test_a_json_body_over_64_kb_is_refused_before_it_is_read_whole(client: httpx2.Client) -> None:
    """With a declared length at once, without one as soon as the limit is passed."""
    text = json.dumps({"submission_id": "x", "config": {"a": "x" * 70_000}}).encode()
    assert_problem(client.post("/jobs", content=text, headers=JSON), 413)
    pieces = (text[start : start + 8000] for start in range(0, len(text), 8000))
    assert_problem(client.post("/jobs", content=pieces, headers=JSON), 413)


def test_all_faults_of_a_request_are_told_at_once(client: httpx2.Client) -> None:
    body = {"config": {"resource_class": "huge"}, "extra": 1}
    found = assert_problem(client.post("/jobs", json=body), 422)
    assert {fault["field"] for fault in found["errors"]} >= {"submission_id", "extra"}


HOSTILE_NAMES = [
    "../main.py", "/etc/passwd", "a/../../b.py", "..\\main.py", "C:\\main.py", "main.py\x00.txt", "\x00", "", " ",
    "-rf.py",
    "a" * 5000 + ".py", "\u202emain.py", "main.py\r\nX-Evil: 1", "/" * 50, "a/" * 60 + "b.py", "con\u0301/../x.py",
    "~/x.py\n",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_no_name_field_of_an_upload_takes_a_trick(client: httpx2.Client, name: str) -> None:
    """SUB-4: a name that a client supplied never becomes a path unchecked."""
    for field in ("entrypoint", "config_file"):
        assert_problem(client.post("/submissions", files=main_py(), data={field: name}), 422)
    boundary = "x" * 20
    quoted = name.encode().replace(b'"', b"%22").replace(b"\r\n", b"%0D%0A")
    part = b'Content-Disposition: form-data; name="files"; filename="' + quoted + b'"\r\n\r\nprint(1)\r\n'
    body = f"--{boundary}\r\n".encode() + part + f"--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = client.post("/submissions", content=body, headers=headers)
    if answer.status_code == 201:  # the parser takes a path as old browsers sent it for the name at its end
        assert [file["path"] for file in answer.json()["files"]] == ["main.py"]
        assert "\\" in name
        return
    assert_problem(answer, 422)


@pytest.mark.parametrize(
    "name", ["..", "../../etc", "a\x00b", "%2e%2e", "x" * 400, "\ud7ff", "*", "a/b", "\r\nX: 1"], ids=ascii
)
def test_no_name_in_an_address_or_query_takes_a_trick(client: httpx2.Client, name: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())
    assert_problem(client.get(f"/jobs/{quoted}/status"), 404, 422)
    assert_problem(client.get(f"/jobs/{quoted}/logs"), 404, 422)
    assert_problem(client.get(f"/jobs/{quoted}/results"), 404, 422)
    assert_problem(client.get(f"/leaderboard?benchmark={quoted}"), 404, 422)
    assert_problem(client.get(f"/leaderboard?metric={quoted}"), 422)
    assert_problem(client.get(f"/jobs?cursor={quoted}"), 422)


@pytest.mark.parametrize(
    "raw", ["/jobs/%ff/status", "/jobs/%c0%ae/status", "/jobs?cursor=%ff", "/jobs?cursor=%00", "/%00"]
)
def test_an_address_that_is_no_text_is_refused(client: httpx2.Client, raw: str) -> None:
    assert_problem(client.get(raw), 422)


HOSTILE_METADATA = [
    "[" * 60_000, '{"a":NaN}', '{"a":1,"a":2}', '{"a":' + "9" * 5000 + "}", '{"a":"\\ud800"}', '{"a":"\\u0000"}', "[]",
    "", "x" * 70_000, '{"a":1e999}',
]  # fmt: skip


@pytest.mark.parametrize("metadata", HOSTILE_METADATA, ids=lambda text: ascii(text)[:20])
def test_metadata_is_read_as_strictly_as_a_body(client: httpx2.Client, metadata: str) -> None:
    assert_problem(client.post("/submissions", files=main_py(), data={"metadata": metadata}), 413, 422)


def test_ten_thousand_files_are_refused_at_the_first_too_many(client: httpx2.Client) -> None:
    files = [("files", (f"f{number}.py", b"")) for number in range(10_000)]
    assert_problem(client.post("/submissions", files=files), 422)


MULTIPART = {
    "no boundary": ("multipart/form-data", b"x"),
    "an empty boundary": ("multipart/form-data; boundary=", b"x"),
    "a boundary that is not in the body": ("multipart/form-data; boundary=abc", b"--xyz\r\n\r\n"),
    "an endless boundary": ("multipart/form-data; boundary=" + "a" * 5000, b"--a"),
    "a bogus charset": ("multipart/form-data; boundary=abc; charset=no-such", b"--abc\r\n\r\n"),
    "a charset that is no text": ("multipart/form-data; boundary=abc; charset=rot13",
        b'--abc\r\nContent-Disposition: form-data; name="entrypoint"\r\n\r\nmain.py\r\n--abc--\r\n'),
    "a codec that unpacks": ("multipart/form-data; boundary=abc; charset=zlib",
        b'--abc\r\nContent-Disposition: form-data; name="entrypoint"\r\n\r\nmain.py\r\n--abc--\r\n'),
    "a part without a name": ("multipart/form-data; boundary=abc",
        b"--abc\r\nContent-Disposition: form-data\r\n\r\nx\r\n--abc--\r\n"),
    "a part without headers": ("multipart/form-data; boundary=abc", b"--abc\r\n\r\nx\r\n--abc--\r\n"),
    "no last boundary": ("multipart/form-data; boundary=abc",
        b'--abc\r\nContent-Disposition: form-data; name="files"; filename="main.py"\r\n\r\nprint(1)\r\n'),
    "a file cut short": ("multipart/form-data; boundary=abc",
        (b'--abc\r\nContent-Disposition: form-data; name="files"; filename="main.py"\r\n\r\nprint(1)\r\n--abc\r\n'
         b'Content-Disposition: form-data; name="files"; filename="b.py"\r\n\r\nprin')),
    "nothing": ("multipart/form-data; boundary=abc", b""),
    "only the end": ("multipart/form-data; boundary=abc", b"--abc--\r\n"),
}  # fmt: skip


@pytest.mark.parametrize(("content_type", "body"), MULTIPART.values(), ids=MULTIPART.keys())
def test_a_broken_multipart_body_is_refused_whole(
    door: Door, client: httpx2.Client, content_type: str, body: bytes
) -> None:
    before = set((door.root / "submissions").iterdir())
    answer = client.post("/submissions", content=body, headers={"Content-Type": content_type})
    assert_problem(answer, 422)
    assert {path for path in (door.root / "submissions").iterdir() if not path.name.startswith(".")} <= before


@pytest.mark.parametrize("path", ["/jobs", "/submissions"])
@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}, {"Content-Type": ""}, {"Content-Type": ";;;"},
     {"Content-Type": "application/x-www-form-urlencoded"},
     {"Content-Type": "application/json", "Content-Encoding": "gzip"}],
    ids=str,
)  # fmt: skip
def test_another_content_type_is_415(client: httpx2.Client, path: str, headers: dict[str, str]) -> None:
    assert_problem(client.post(path, content=b'{"submission_id":"x"}', headers=headers), 415)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", ["/jobs", "/submissions", "/leaderboard", "/health/live", "/docs", "/openapi.json"])
def test_a_method_that_is_not_there_is_405_and_told_which_are(client: httpx2.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    if method in {"HEAD", "OPTIONS"} and path == "/openapi.json":
        assert answer.status_code in {200, 405}
        return
    assert answer.status_code == 405
    assert {"GET", "POST"} & set(answer.headers["allow"].split(", "))
    if method != "HEAD":
        assert_problem(answer, 405)


def test_ids_of_others_and_ids_of_nobody_are_answered_alike(door: Door) -> None:
    """JOB-10: who asks for another's thing learns nothing, not even that it is there."""
    with door.client() as ann, door.client(door.other_token) as bob:
        submission = ann.post("/submissions", files=main_py() + main_py("config.yaml", b"{}")).json()["submission_id"]
        job = ann.post("/jobs", json={"submission_id": submission}).json()["job_id"]
        for method, path in [("GET", "status"), ("GET", "logs"), ("GET", "results"), ("POST", "cancel")]:
            theirs = assert_problem(bob.request(method, f"/jobs/{job}/{path}"), 404)
            nobodys = assert_problem(bob.request(method, f"/jobs/{UNKNOWN}/{path}"), 404)
            assert theirs["detail"].replace(job, "") == nobodys["detail"].replace(UNKNOWN, "")
        theirs = assert_problem(bob.post("/jobs", json={"submission_id": submission}), 404)
        nobodys = assert_problem(bob.post("/jobs", json={"submission_id": UNKNOWN}), 404)
        assert theirs["detail"].replace(submission, "") == nobodys["detail"].replace(UNKNOWN, "")


def test_an_archive_is_no_way_around(client: httpx2.Client) -> None:
    """SUB-3: names inside archives keep the same rules."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "print(1)")
        archive.writestr("../../evil.py", "print(2)")
    assert_problem(client.post("/submissions", files=main_py("code.zip", packed.getvalue())), 422)
