"""The page at /docs: complete in itself, and the only one whose policy lets a script run."""

from __future__ import annotations

import re

import pytest

from tests.sites import Site

pytestmark = pytest.mark.unit


def test_everything_the_page_names_is_served_here(site: Site) -> None:
    """No address of another host stands in the page or its policy; its files are there, with the right type."""
    page = site.as_(None).get("/docs")
    named = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    files = [name for name in named if not name.startswith("data:")]
    assert sorted(files) == ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"]
    assert "http" not in page.text.replace("http-equiv", "")
    assert "http" not in page.headers["content-security-policy"]
    kinds = [site.as_(None).get(name).headers["content-type"].partition(";")[0] for name in sorted(files)]
    assert kinds == ["text/javascript", "text/css"]


def test_its_policy_allows_no_foreign_script(site: Site) -> None:
    """Inline scripts run by their hash only, and nothing may frame the page."""
    policy = site.as_(None).get("/docs").headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert re.search(r"'sha256-[A-Za-z0-9+/=]{44}'", rules["script-src"])
    assert rules["frame-ancestors"] == "'none'"
