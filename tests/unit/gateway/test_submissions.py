"""Submissions over HTTP (SUB-1, SUB-7): uploaded, listed, read, downloaded, by their owner and admins alone."""

from __future__ import annotations

import io
import tarfile

import pytest

from tests.unit.gateway.whole_site import Site, bearer, site

pytestmark = pytest.mark.unit
__all__ = ["site"]


def test_an_upload_says_where_it_is(site: Site) -> None:
    """SUB-1: 201 with the id, and a Location that opens."""
    with site.browser() as client:
        answer = client.post("/submissions", files={"files": ("main.py", b"print(1)")}, data={"metadata": '{"a": 1}'})
        assert answer.status_code == 201
        there = client.get(answer.headers["Location"]).json()
        assert there["submission_id"] == answer.json()["submission_id"]
        assert (there["metadata"], there["files"]) == ({"a": 1}, [{"path": "main.py", "size_bytes": 8}])


def test_lists_are_mine_an_admins_everybodys(site: Site) -> None:
    """SUB-7: newest first, in pages that a cursor joins."""
    with site.browser() as client:
        mine = [site.submitted(client) for _ in range(3)]
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
    with site.browser() as client:
        submission_id = site.submitted(client)
        answer = client.get(f"/submissions/{submission_id}/archive")
        assert answer.headers["content-type"] == "application/gzip"
        assert answer.headers["content-disposition"] == f'attachment; filename="submission-{submission_id}.tar.gz"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            assert tar.getnames() == ["main.py"]
        assert client.get(f"/submissions/{submission_id}/archive", headers=bearer("root")).status_code == 200
