"""Reads the problem document of a refusal, or what a proxy answered in its place."""

import math
from typing import Any

import httpx2

from client.api.errors import FieldFault, Problem

LONGEST_WORDS = 2000


def problem_of(response: httpx2.Response) -> Problem:
    """The problem in a refusal, also if a proxy answered without a problem document."""
    body = _json_object(response)
    detail = str(body.get("detail") or body.get("title") or f"The API answered with status {response.status_code}.")
    return Problem(
        status=response.status_code,
        code=str(body.get("code") or f"http_{response.status_code}"),
        detail=detail[:LONGEST_WORDS],
        request_id=str(body["request_id"]) if body.get("request_id") else response.headers.get("x-request-id"),
        faults=_faults(body.get("errors")),
        retry_after=_seconds(response.headers.get("retry-after")),
    )


def _json_object(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _faults(listed: object) -> tuple[FieldFault, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(
        FieldFault(field=str(item.get("field", "")), rule=str(item.get("rule", "")))
        for item in listed
        if isinstance(item, dict)
    )


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header) if header else math.nan
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
