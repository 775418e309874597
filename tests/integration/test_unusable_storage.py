"""A gateway whose folders cannot be written, or are not mounted: uploads are refused in words, with nothing left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import redis

from core.adapters.files.folder_look import MARK
from tests.conftest import redis_url
from tests.docker.small_disk import SmallDisk, small_disk
from tests.running_gateway import Door, environment, gateway_process

pytestmark = pytest.mark.integration

LARGE = b"#" * 200_000
"""Spooled to the disk while it arrives."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Under the submissions."""
    (tmp_path / "submissions").mkdir()
    with small_disk(tmp_path / "submissions", size="8m") as made:
        yield made


@pytest.fixture
def door(tmp_path: Path, disk: SmallDisk, redis_client: redis.Redis, mlflow_url: str) -> Iterator[Door]:
    redis_client.ping()
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)
    with gateway_process(tmp_path, env) as (opened, _process):
        assert opened.root / "submissions" == disk.path
        yield opened


def uploaded(door: Door, content: bytes) -> httpx2.Response:
    with door.client() as client:
        return client.post("/submissions", files={"files": ("main.py", content)})


def ready(door: Door) -> httpx2.Response:
    with door.client() as client:
        return client.get("/health/ready")


def left(disk: SmallDisk) -> list[str]:
    """Below the submissions, besides what is always there."""
    return sorted(path.name for path in disk.path.rglob("*") if path.is_file() and not path.name.startswith("."))


@pytest.mark.parametrize("content", [b"print()", LARGE], ids=["small", "large"])
def test_a_read_only_folder_takes_no_upload(door: Door, disk: SmallDisk, content: bytes) -> None:
    """503 names the folder and the reason, readiness and admins hear of it, and uploads work when it is back."""
    before = uploaded(door, b"print('before')")
    assert before.status_code == 201, before.text
    known = left(disk)
    disk.take_no_writes()
    answer = uploaded(door, content)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "The storage (submissions) does not answer: Read-only file system" in answer.json()["detail"]
    found = ready(door)
    assert (found.status_code, found.json()["dependencies"]["storage"]) == (503, "unavailable")
    assert found.json()["folders"] == {"submissions": "Read-only file system"}
    with door.client(door.admin_token) as admin:
        (notice,) = admin.get("/admin/overview").json()["notices"]
    assert (notice["kind"], notice["host"]) == ("storage", "")
    assert notice["text"] == f"The gateway cannot use submissions ({disk.path}): Read-only file system"
    assert left(disk) == known
    disk.take_writes()
    until_ready(door)
    assert uploaded(door, content).status_code == 201


@pytest.mark.parametrize("content", [b"print()", LARGE], ids=["small", "large"])
def test_an_empty_folder_in_its_place_takes_no_upload(door: Door, disk: SmallDisk, content: bytes) -> None:
    """Nothing is stored below the mount point, and what was stored is not called unknown."""
    kept = uploaded(door, b"print('kept')").json()["submission_id"]
    with disk.gone():
        answer = uploaded(door, content)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "Is its file system mounted?" in answer.json()["detail"]
        assert "submissions" in ready(door).json()["folders"]
        assert left(disk) == []
        with door.client() as client:
            assert client.get(f"/submissions/{kept}").status_code == 503
    until_ready(door)
    with door.client() as client:
        assert client.get(f"/submissions/{kept}").status_code == 200
    assert uploaded(door, content).status_code == 201


def test_a_full_folder_is_507(door: Door, disk: SmallDisk) -> None:
    """As before: it is an admin's to make room; readiness says so, too."""
    disk.fill(but_bytes=0)
    answer = uploaded(door, LARGE)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert ready(door).json()["folders"] == {"submissions": "No space left on device"}
    assert left(disk) == []
    disk.make_room()
    until_ready(door)
    assert uploaded(door, LARGE).status_code == 201


def test_folders_that_are_empty_at_boot_are_not_taken_for_a_fresh_site(
    tmp_path: Path, redis_client: redis.Redis, mlflow_url: str
) -> None:
    """The ledger has jobs whose submissions are elsewhere; a fresh site's folders are empty, too, and are used."""
    redis_client.ping()
    env = environment(tmp_path / "first", redis_url=redis_url(), mlflow_url=mlflow_url)
    with gateway_process(tmp_path / "first", env) as (door, _process), door.client() as client:
        submission = uploaded(door, b"print()").json()["submission_id"]
        assert client.post("/jobs", json={"submission_id": submission}).status_code == 202
    env = environment(tmp_path / "second", redis_url=redis_url(), mlflow_url=mlflow_url)
    for mark in tmp_path.glob(f"second/*/{MARK}"):
        mark.unlink()
    with gateway_process(tmp_path / "second", env) as (door, _process):
        assert uploaded(door, b"print()").status_code == 503
        assert "it is empty, and the ledger has jobs" in ready(door).json()["folders"]["submissions"]


def until_ready(door: Door) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if ready(door).status_code == 200:
            return
        time.sleep(0.2)
    pytest.fail(f"not ready again: {ready(door).text}")
