"""Lists and sends the files of a finished run, so that users need no access to MLflow (JOB-7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path
from fastapi.responses import StreamingResponse

from core.usecases.artifacts import OpenArtifact
from core.wiring import Ports
from gateway.dependencies import CurrentUser, OpenFilesPart, PortsPart, SettingsPart
from gateway.live.open_files import BoundedStream
from gateway.routes.jobs import getting_results
from gateway.schemas.jobs import JobId
from gateway.schemas.results import ArtifactList, RecordedFileView

router = APIRouter(prefix="/jobs", tags=["jobs"])

TEXT = "text/plain; charset=utf-8"
SHOWN = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
    ".txt": TEXT, ".log": TEXT,
}  # fmt: skip
"""File types that a browser may display; everything else is only downloaded. `nosniff` covers wrong suffixes."""
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "description": "The file.",
    "content": dict.fromkeys(
        ("application/octet-stream", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"), _BINARY
    ),
}


def _held_open() -> Iterator[ExitStack]:
    """A stack of what an answer holds open; closed after the answer's last byte, or when the client disconnects."""
    with ExitStack() as stack:
        yield stack


HeldOpen = Annotated[ExitStack, Depends(_held_open)]
ArtifactPath = Annotated[str, Path(json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f]+$"})]
"""A path as the list has it. Control characters are refused in every address, before routing."""


@router.get("/{job_id}/artifacts")
def artifacts(job_id: JobId, user: CurrentUser, ports: PortsPart, settings: SettingsPart) -> ArtifactList:
    """The files that a finished run left, as they were recorded: at most 1,000, with curves, maps and logs first.

    `total` says how many there are, `available` whether MLflow, which keeps them, answers now.
    """
    found = getting_results(ports, settings)(user, job_id)
    items = [RecordedFileView.model_validate(file) for file in found.artifacts]
    return ArtifactList(job_id=job_id, items=items, total=found.artifacts_total, available=found.artifacts_available)


@router.get("/{job_id}/artifacts/{path:path}", response_class=StreamingResponse, responses={200: _FILE})
def artifact(
    job_id: JobId, path: ArtifactPath, user: CurrentUser, ports: PortsPart, open_files: OpenFilesPart, stack: HeldOpen
) -> StreamingResponse:
    """One of these files. A browser may display pictures and plain text; everything else is sent as a download.

    `X-Recorded-SHA256` is the hash of the file as the run left it. Content with another hash was put there in MLflow.
    """
    usecase = OpenArtifact(job_status=ports.job_status, tracking=ports.tracking, trial_files=ports.trial_files)
    file = stack.enter_context(open_files.one_of(user.user_id))
    content = stack.enter_context(usecase(user, job_id, path))
    file.weigh(content.size_bytes)
    name = PurePosixPath(path)
    kind = SHOWN.get(name.suffix.lower())
    headers = {
        "Content-Disposition": disposition(name.name, inline=kind is not None),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    if sha256 := _recorded_hash(ports, job_id, path):
        headers["X-Recorded-SHA256"] = sha256
    if content.size_bytes is not None:
        headers["Content-Length"] = str(content.size_bytes)
    return BoundedStream(content.pieces, media_type=kind or "application/octet-stream", headers=headers)


def disposition(name: str, *, inline: bool) -> str:
    """The Content-Disposition for any file name (RFC 6266): a plain form for old clients, the real name encoded."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _recorded_hash(ports: Ports, job_id: str, path: str) -> str | None:
    """The file's hash as recorded at the end of the run; None when it was not recorded."""
    recorded = ports.results.get(job_id)
    files = recorded.result.files if recorded else ()
    return next((file.sha256 for file in files if file.path == path), None)
