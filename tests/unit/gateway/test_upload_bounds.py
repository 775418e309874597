"""What bounds uploads besides their size: how many in an hour, and the disk's mark while they arrive."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from core.domain.limits import GIB
from tests.unit.gateway.whole_site import Site

pytestmark = pytest.mark.unit

FILES = [("files", ("main.py", b"print(1)\n"))]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(root=tmp_path, changes={"max_uploads_per_hour": 2})
    monkeypatch.setattr("gateway.app.open_ports", site.open_ports)
    return site


@pytest.fixture
def browser(site: Site) -> Iterator[TestClient]:
    with site.browser() as client:
        yield client


def filling(monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    """A disk that has room for that many looks, and none after."""
    left = iter([9 * GIB] * looks)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=next(left, 0)))


def nothing_stored(site: Site) -> bool:
    return not [path for path in (site.root / "submissions").rglob("*") if path.is_file()]


def test_an_hour_takes_so_many_uploads(browser: TestClient, site: Site) -> None:
    """The third is 429 with a sentence and Retry-After; what was refused for another reason did not count."""
    assert browser.post("/submissions", files=[("files", ("main.exe", b""))]).status_code == 422
    assert [browser.post("/submissions", files=FILES).status_code for _ in range(2)] == [201, 201]
    refused = browser.post("/submissions", files=FILES)
    assert (refused.status_code, refused.json()["code"]) == (429, "limit_reached")
    assert "uploaded 2 submissions" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 3500


def test_a_disk_that_fills_while_bytes_arrive_ends_the_upload(
    browser: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R18: 507 in words before the upload is whole, nothing left, and the upload did not count."""
    object.__setattr__(site.storage._room, "min_free_bytes", GIB)
    filling(monkeypatch, looks=1)
    answer = browser.post("/submissions", files=[("files", ("main.py", b"#" * 5_000_000))])
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert nothing_stored(site)
    assert site.jobs._uploads == {"ann": {}}


def test_a_disk_that_fills_while_an_archive_is_unpacked_leaves_nothing(
    browser: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(site.storage._room, "min_free_bytes", GIB)
    filling(monkeypatch, looks=3)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("main.py", "a.txt", "b.txt", "c.txt"):
            tar.addfile(_member(name), io.BytesIO(b"x" * 10))
    answer = browser.post("/submissions", files=[("files", ("all.tar.gz", packed.getvalue()))])
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert nothing_stored(site)


def test_a_full_disk_for_bytes_that_arrive_is_told(
    browser: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spooled bytes may lie on another disk than the submissions: ENOSPC there is 507, too."""

    async def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("starlette.datastructures.UploadFile.write", full)
    answer = browser.post("/submissions", files=FILES)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert nothing_stored(site)


def _member(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 10
    return member
