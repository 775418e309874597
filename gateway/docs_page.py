"""The interactive page of the API at /docs: the one page of ours, so the one with a policy that lets scripts run."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

SCRIPTS = "https://cdn.jsdelivr.net"
"""Where Swagger UI comes from; without a way out the page stays empty, and docs/api.md says the same."""
NO_ICON = "data:,"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs() -> HTMLResponse:
    html, policy = _page()
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


@cache
def _page() -> tuple[str, str]:
    """The page and its policy: its own inline script is allowed by its hash, no other."""
    body = get_swagger_ui_html(openapi_url="/openapi.json", title="LeadersBoard", swagger_favicon_url=NO_ICON).body
    html = bytes(body).decode()
    inline = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    policy = (
        f"default-src 'none'; script-src {SCRIPTS} {hashes}; style-src {SCRIPTS} 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; frame-ancestors 'none'"
    )
    return html, policy
