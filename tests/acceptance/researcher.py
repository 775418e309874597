"""Submits over the API as a user does, and keeps what the API shows of a job until its end."""

from __future__ import annotations

import io
import tarfile
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from tests.conftest import REPOSITORY

PATIENCE_SECONDS = 900


CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def packed(example: str, marker: str) -> bytes:
    """The example as a tar.gz; the marker makes its content new, so that it is a new submission."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        tar.add(REPOSITORY / "examples" / example, arcname=".")
        note = tarfile.TarInfo("marker.txt")
        note.size = len(marker)
        tar.addfile(note, io.BytesIO(marker.encode()))
    return raw.getvalue()


@dataclass
class Finished:
    """A job that was followed to its end."""

    job: dict[str, Any]
    results: dict[str, Any]
    log: str
    log_lengths: list[int] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)


class Researcher:
    """Calls the public API with one user's token."""

    def __init__(self, api_url: str, token: str) -> None:
        self.http = httpx2.Client(base_url=api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def post(self, archive: bytes, config: dict[str, Any] | None = None, **fields: str) -> httpx2.Response:
        files = {"files": ("code.tar.gz", archive, "application/gzip")}
        created = self.http.post("/submissions", files=files, data=fields)
        if created.status_code != 201:
            return created
        return self.http.post("/jobs", json={"submission_id": created.json()["submission_id"], "config": config or {}})

    def follow(self, job_id: str) -> Finished:
        lengths, phases = [], []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            job = self.http.get(f"/jobs/{job_id}/status").json()
            if job["status"] == "running":
                lengths.append(self.http.get(f"/jobs/{job_id}/logs").json()["next_offset"])
            phases.append(job["phase"])
            if job["finished_at"]:
                break
            time.sleep(0.3)
        return Finished(
            job=job,
            results=self.http.get(f"/jobs/{job_id}/results").json(),
            log=self.http.get(f"/jobs/{job_id}/logs").json()["logs"],
            log_lengths=sorted(set(lengths)),
            phases=sorted(set(phases)),
        )
