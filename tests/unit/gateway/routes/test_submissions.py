"""Submissions over HTTP (SUB-1 to SUB-7): stored whole or not at all; listed, read, downloaded by their owner."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from tests.builders import MAIN, targz, zipped
from tests.forms import END, FORM, HEAD, fields_of, part
from tests.sites import Site, bearer

pytestmark = pytest.mark.unit


BAD_NAMES = [
    "../../x.py",
    "..\\x.py",
    "/etc/x.py",
    "src/x.py",
    "x\x00.py",
    "\\\\server\\x.py",
    "",
    " ",
    "-x.py",
    "x" * 300 + ".py",
]


BAD_NAMES += ["x.sh", "..", ".", "x\x1b.py", "\u202ex.py"]


BAD_PATHS = [
    "../main.py",
    "/main.py",
    "a/../main.py",
    "main.py\x00",
    "..\\main.py",
    "",
    "x" * 300 + ".py",
    "-m.py",
    "a//b.py",
]


def test_an_upload_becomes_a_submission(site: Site) -> None:
    """SUB-1: 201 with the id, the files and their hash; the defaults need not be sent."""
    files = [("files", ("main.py", MAIN)), ("files", ("src.tar.gz", targz(("src/x.py", b"x"))))]
    answer = site.as_("ada").post("/submissions", files=files)
    found = answer.json()
    assert answer.status_code == 201
    assert (found["user_id"], found["entrypoint"], found["config_file"]) == ("ada", "main.py", "config.yaml")
    assert found["files"] == [
        {"path": "main.py", "size_bytes": len(MAIN)},
        {"path": "src/x.py", "size_bytes": 1},
    ]
    assert len(found["sha256"]) == 64
    assert found["submission_id"] in site.stored()
    assert found["duplicate_of"] is None
    assert site.as_("ada").post("/submissions", files=files).json()["duplicate_of"] == found["submission_id"]


def test_all_fields_are_kept(site: Site) -> None:
    """SUB-5: entrypoint, configuration file and metadata stand in the record."""
    data = {"entrypoint": "run.py", "config_file": "x.yaml", "metadata": '{"team": "ü", "n": [1, {}]}'}
    files = [("files", ("run.py", MAIN)), ("files", ("x.yaml", b"a: 1"))]
    answer = site.as_("ada").post("/submissions", files=files, data=data)
    found = answer.json()
    assert found["metadata"] == {"team": "ü", "n": [1, {}]}
    record = site.root / "submissions" / found["submission_id"] / "metadata.json"
    assert json.loads(record.read_text())["config_file"] == "x.yaml"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_file_name_is_refused(site: Site, name: str) -> None:
    """H89, SUB-2: traversal, absolute, NUL, folders, empty, overlong, other kinds; nothing is stored."""
    body = part("files", MAIN, "main.py") + part("files", b"x", name) + b"--B--\r\n"
    answer = site.as_("ada").post("/submissions", content=body, headers=FORM)
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) <= {"files", "body"}
    assert site.stored() == []


@pytest.mark.parametrize("name", ["C:\\x.py", "x.py\r\nX: y"])
def test_what_the_form_reader_cuts_off_a_name_is_gone(site: Site, name: str) -> None:
    """H89: drives and line breaks never reach a path; what is left is one plain name."""
    body = part("files", MAIN, "main.py") + part("files", b"x", name) + b"--B--\r\n"
    answer = site.as_("ada").post("/submissions", content=body, headers=FORM)
    paths = [file["path"] for file in answer.json()["files"]]
    assert len(paths) == 2
    assert all("/" not in path and "\\" not in path and path.isprintable() for path in paths)


@pytest.mark.parametrize("field", ["entrypoint", "config_file"])
@pytest.mark.parametrize("name", BAD_PATHS)
def test_a_bad_path_in_a_field_is_refused(site: Site, field: str, name: str) -> None:
    """SUB-4: in both fields that name a file."""
    body = part("files", MAIN, "main.py") + part(field, name.encode()) + b"--B--\r\n"
    assert field in fields_of(site.as_("ada").post("/submissions", content=body, headers=FORM))
    assert site.stored() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"a": NaN}', '{"a": 1e999}', "{'a': 1}", '{"a": "\\ud800"}', "[" * 1900, "\x00"]
)
def test_bad_metadata_is_refused(site: Site, text: str) -> None:
    """SUB-1: one JSON object of finite numbers."""
    answer = site.as_("ada").post("/submissions", files=[("files", ("main.py", MAIN))], data={"metadata": text})
    assert fields_of(answer) == {"metadata"}
    assert site.stored() == []


def test_a_missing_entrypoint_is_refused(site: Site) -> None:
    """SUB-4: it must be in the submission."""
    assert fields_of(site.as_("ada").post("/submissions", files=[("files", ("a.py", MAIN))])) == {"entrypoint"}


@pytest.mark.parametrize(
    "body",
    [
        part("file", MAIN, "main.py"),
        part("files", MAIN),
        part("files", MAIN, "main.py") + part("entrypoint", b"main.py", "main.py"),
        part("files", MAIN, "main.py") + part("metadata", b"{}") + part("metadata", b"{}"),
        part("files", MAIN, "main.py") + part("user_id", b"root"),
        part("files", MAIN, "main.py") + part("x" * 500, b"root"),
    ],
    ids=["misspelt", "no file", "file as text", "twice", "unknown", "long name"],
)
def test_unknown_and_doubled_fields_are_refused(site: Site, body: bytes) -> None:
    """No field is ignored, so that no misspelling passes for a default."""
    answer = site.as_("ada").post("/submissions", content=body + b"--B--\r\n", headers=FORM)
    assert all(len(field) <= 80 for field in fields_of(answer))
    assert site.stored() == []


def test_a_token_is_asked_for_before_the_upload_is_read(site: Site) -> None:
    """AUT-1: strangers send nothing."""
    answer = site.send("/submissions", [HEAD + MAIN + END], headers=FORM, user=None)
    assert (answer.status, answer.chunks_read) == (401, 0)


@pytest.mark.parametrize(
    "content",
    [
        zipped(("main.py", MAIN), ("../evil.py", b"x")),
        zipped(*((f"{n}.py", b"\x00" * 700_000) for n in range(3))),
        b"PK\x03\x04 broken",
    ],
    ids=["traversal", "bomb", "broken"],
)
def test_a_bad_archive_is_refused_whole(site: Site, content: bytes) -> None:
    """SUB-3: 422 or 413, and nothing is left."""
    answer = site.as_("ada").post("/submissions", files=[("files", ("main.py", MAIN)), ("files", ("a.zip", content))])
    assert answer.status_code in {413, 422}
    assert answer.json()["errors"][0]["field"] == "files"
    assert site.stored() == []


def test_an_upload_says_where_it_is(site: Site) -> None:
    """SUB-1: 201 with the id, and a Location that opens."""
    client = site.as_("ada")
    answer = client.post("/submissions", files={"files": ("main.py", b"print(1)")}, data={"metadata": '{"a": 1}'})
    assert answer.status_code == 201
    there = client.get(answer.headers["Location"]).json()
    assert there["submission_id"] == answer.json()["submission_id"]
    assert (there["metadata"], there["files"]) == ({"a": 1}, [{"path": "main.py", "size_bytes": 8}])


def test_lists_are_mine_an_admins_everybodys(site: Site) -> None:
    """SUB-7: newest first, in pages that a cursor joins."""
    client = site.as_("ada")
    mine = [site.upload() for _ in range(3)]
    client.post("/submissions", files={"files": ("main.py", b"x")}, headers=bearer("bob"))
    first = client.get("/submissions", params={"limit": 2}).json()
    second = client.get("/submissions", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["submission_id"] for item in first["items"] + second["items"]] == mine[::-1]
    assert second["next_cursor"] is None
    assert first["items"][0]["file_count"] == 1
    assert len(client.get("/submissions", headers=bearer("root")).json()["items"]) == 4
    assert client.get("/submissions", params={"cursor": "x"}).status_code == 422


def test_a_download_is_a_tar_of_ones_own_files(site: Site) -> None:
    """SUB-7: streamed, with a name that no header can be broken by."""
    client = site.as_("ada")
    submission_id = site.upload()
    answer = client.get(f"/submissions/{submission_id}/archive")
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.headers["content-disposition"] == f'attachment; filename="submission-{submission_id}.tar.gz"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        assert tar.getnames() == ["main.py"]
    assert client.get(f"/submissions/{submission_id}/archive", headers=bearer("root")).status_code == 200
