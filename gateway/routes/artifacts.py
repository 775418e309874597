"""The files of a finished run: listed, and each sent through us, so that nobody needs a way to MLflow (JOB-7)."""

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
from gateway.auth.authenticator import CurrentUser
from gateway.dependencies import OpenFilesPart, PortsPart, SettingsPart
from gateway.live.open_files import BoundedStream
from gateway.routes.jobs import getting_results
from gateway.schemas.jobs import JobId
from gateway.schemas.results import ArtifactList, RecordedFileView

router = APIRouter(prefix="/jobs", tags=["jobs"])

SHOWN = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".txt": "text/plain; charset=utf-8"}
"""What a browser may show; everything else, and these where they lie about what they are, it only keeps."""
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "description": "The file.",
    "content": dict.fromkeys(("application/octet-stream", "image/png", "image/jpeg", "text/plain"), _BINARY),
}


def _held_open() -> Iterator[ExitStack]:
    """What is opened for an answer is closed after its last byte, or when its receiver goes away."""
    with ExitStack() as stack:
        yield stack


HeldOpen = Annotated[ExitStack, Depends(_held_open)]
ArtifactPath = Annotated[str, Path(json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f]+$"})]
"""As the list names it; control characters are refused for every address, before any route."""


@router.get("/{job_id}/artifacts")
def artifacts(job_id: JobId, user: CurrentUser, ports: PortsPart, settings: SettingsPart) -> ArtifactList:
    """The files that a finished run left: at most 1,000, as they were recorded.

    `available` says whether MLflow, which keeps them, answers now.
    """
    found = getting_results(ports, settings)(user, job_id)
    items = [RecordedFileView.model_validate(file) for file in found.artifacts]
    return ArtifactList(job_id=job_id, items=items, available=found.artifacts_available)


@router.get("/{job_id}/artifacts/{path:path}", response_class=StreamingResponse, responses={200: _FILE})
def artifact(
    job_id: JobId, path: ArtifactPath, user: CurrentUser, ports: PortsPart, open_files: OpenFilesPart, stack: HeldOpen
) -> StreamingResponse:
    """One of these files. PNG, JPEG and plain text may be shown by a browser, everything else is for keeping.

    `X-Recorded-SHA256` is the hash of the file as the run left it. Content with another hash was put there in MLflow.
    """
    usecase = OpenArtifact(job_status=ports.job_status, tracking=ports.tracking)
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
    """The header for a file of any name (RFC 6266): a harmless one for old readers, the real one encoded."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _recorded_hash(ports: Ports, job_id: str, path: str) -> str | None:
    """Of this file, where it was read when the run ended."""
    recorded = ports.results.get(job_id)
    files = recorded.result.files if recorded else ()
    return next((file.sha256 for file in files if file.path == path), None)
