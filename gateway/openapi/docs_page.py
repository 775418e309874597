"""Serves the interactive API page at /docs: Swagger UI from local files, so that it works without the internet."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

CARRIER = "fastapi_offline"
"""The package with Swagger UI's files; it is located, never imported."""
SCRIPT, STYLE = "swagger-ui-bundle.js", "swagger-ui.css"
NO_ICON = "data:,"
A_DAY = {"Cache-Control": "public, max-age=86400"}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs() -> HTMLResponse:
    html, policy = _page()
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


@router.get(f"/docs/{SCRIPT}")
def script() -> FileResponse:
    return FileResponse(_files() / SCRIPT, media_type="text/javascript", headers=A_DAY)


@router.get(f"/docs/{STYLE}")
def style() -> FileResponse:
    return FileResponse(_files() / STYLE, media_type="text/css", headers=A_DAY)


@cache
def _files() -> Path:
    found = find_spec(CARRIER)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"{CARRIER} is not installed: see locks/gateway.txt")
    return Path(found.submodule_search_locations[0]) / "static"


@cache
def _page() -> tuple[str, str]:
    """The page and its policy: only our script and, by its hash, the inline one run; no other origin is contacted."""
    body = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="LeadersBoard",
        swagger_js_url=f"/docs/{SCRIPT}",
        swagger_css_url=f"/docs/{STYLE}",
        swagger_favicon_url=NO_ICON,
    ).body
    html = bytes(body).decode()
    inline = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    policy = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'"
    )
    return html, policy
