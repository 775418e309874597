"""Uploading code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from core.usecases.create_submission import CreateSubmission
from gateway.auth import CurrentUser
from gateway.multipart import received
from gateway.parts import PortsPart, SettingsPart
from gateway.schemas import SubmissionView

router = APIRouter(prefix="/submissions", tags=["submissions"])

_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "binary"},
            "description": ".py, .yaml, .yml, requirements.txt, .zip or .tar.gz; archives are unpacked",
        },
        "entrypoint": {"type": "string", "default": "main.py"},
        "config_file": {"type": "string", "default": "config.yaml"},
        "metadata": {"type": "string", "default": "{}", "description": "a JSON object"},
    },
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def create(request: Request, user: CurrentUser, ports: PortsPart, settings: SettingsPart) -> SubmissionView:
    """Store a submission: complete, or not at all."""
    async with received(request, user.user_id, settings.upload) as upload:
        submission = await run_in_threadpool(CreateSubmission(storage=ports.storage), upload)
    return SubmissionView.of(submission)
