"""What bounds uploads besides their size: how many in an hour, and the disk while they arrive."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from core.domain.errors import StorageFull
from core.domain.limits import GIB, UploadLimits
from tests.builders import MAIN
from tests.forms import END, FORM, HEAD, part
from tests.sites import Site

pytestmark = pytest.mark.unit


FILES = [("files", ("main.py", b"print(1)\n"))]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Two uploads in an hour, of any usual size."""
    with closing(Site(tmp_path, max_uploads_per_hour=2, upload=UploadLimits())) as found:
        yield found


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.as_("ada")


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
    site.ports.storage._min_free_bytes = GIB
    filling(monkeypatch, looks=1)
    answer = browser.post("/submissions", files=[("files", ("main.py", b"#" * 5_000_000))])
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert nothing_stored(site)
    assert site.ports.job_status._uploads == {"ada": {}}


def test_a_disk_that_fills_while_an_archive_is_unpacked_leaves_nothing(
    browser: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ports.storage._min_free_bytes = GIB
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


GOOD = HEAD + MAIN + END


BAD = part("files", b"no zip", "a.zip") + b"--B--\r\n"


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Site]:
    """Two stored and three refused uploads in an hour."""
    with closing(Site(tmp_path, max_uploads_per_hour=2, max_refused_uploads_per_hour=3)) as found:
        yield found


def test_over_the_limit_nothing_is_read(strict: Site) -> None:
    """429 with Retry-After and a sentence, also for an upload that would be good; other users are not concerned."""
    for _time in range(3):
        assert strict.send("/submissions", [BAD], headers=FORM).status == 422
    answer = strict.send("/submissions", [GOOD], headers=FORM)
    assert (answer.status, answer.json()["code"], answer.chunks_read) == (429, "limit_reached", 0)
    assert "were refused or broke off" in answer.json()["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 3601
    assert strict.as_("bob").post("/submissions", content=GOOD, headers=FORM).status_code == 201


def test_what_breaks_off_counts_as_refused(strict: Site) -> None:
    """Half a body costs as much as a bad one."""
    for _time in range(3):
        assert strict.send("/submissions", [HEAD, b"x" * 1000], headers=FORM, breaks_off=True).status == 422
    assert strict.send("/submissions", [GOOD], headers=FORM).status == 429


def test_stored_uploads_take_nothing_of_it_and_refused_ones_nothing_of_theirs(strict: Site) -> None:
    """Two hours, side by side."""
    for body, status in ((GOOD, 201), (BAD, 422), (GOOD, 201), (GOOD, 429), (GOOD, 429)):
        assert strict.send("/submissions", [body], headers=FORM).status == status
    detail = strict.send("/submissions", [BAD], headers=FORM).json()["detail"]
    assert "uploaded 2 submissions" in detail


def test_a_full_disk_counts_nowhere(strict: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the platform failed is nobody's refused upload."""

    def full(*_arguments: object) -> None:
        raise StorageFull("full")

    with monkeypatch.context() as patched:
        patched.setattr(type(strict.ports.storage), "create_submission", full)
        for _time in range(5):
            assert strict.send("/submissions", [GOOD], headers=FORM).status == 507
    assert strict.send("/submissions", [GOOD], headers=FORM).status == 201
