"""Notices on the first page: for admins, with what is to be mended in a broken benchmark."""

from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest

from client.api.client import LeadersboardClient
from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import Front
from ui.pages.admin_notice import MOST_FINDINGS, admin_notice
from ui.shell import Frame

pytestmark = pytest.mark.unit

BROKEN = {"kind": "benchmark", "text": "Benchmark 'surfaces' is broken.", "advice": "Look.", "takes_jobs": True}
FINDING = {"path": "benchmark.yaml", "line": 3, "rule": "categories.8: '<b>' is no name", "is_note": False}


def shown(front: Front, platform: Platform, *, is_admin: bool = True) -> str:
    sessions = SimpleNamespace(
        session_of=lambda _request: SimpleNamespace(is_admin=is_admin),
        client_of=lambda _request: LeadersboardClient(platform.http(), "t"),
    )
    frame = cast("Frame", SimpleNamespace(sessions=sessions, markup=front.templates))
    return admin_notice(frame, cast("gr.Request", None))


def answered(platform: Platform, *findings: dict[str, Any]) -> None:
    broken = {"name": "surfaces", "condition": "broken", "findings": [*findings], "more": 0}
    good = {"name": "weaves", "condition": "good", "findings": []}
    platform.answers("GET", "/admin/overview", {"notices": [BROKEN]})
    platform.answers("GET", "/benchmarks/check", {"items": [broken, good]})


def test_a_broken_benchmark_is_shown_with_its_faults(front: Front, platform: Platform) -> None:
    """Each with its line, and nothing of it as markup; a good one is not named."""
    answered(platform, FINDING)
    page = shown(front, platform)
    assert "benchmark.yaml:3" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "weaves" not in page


def test_only_the_first_faults_are_shown(front: Front, platform: Platform) -> None:
    answered(platform, *[FINDING] * (MOST_FINDINGS + 1))
    page = shown(front, platform)
    assert page.count("benchmark.yaml:3") == MOST_FINDINGS
    assert "leadersboard benchmarks --check" in page


def test_nothing_is_checked_without_a_notice(front: Front, platform: Platform) -> None:
    """A check reads files: it is asked for only where something is broken."""
    platform.answers("GET", "/admin/overview", {"notices": [BROKEN | {"kind": "runner"}]})
    assert "Look." in shown(front, platform)
    platform.answers("GET", "/admin/overview", {"notices": []})
    assert shown(front, platform) == ""
    assert [asked.url.path for asked in platform.asked] == ["/admin/overview"] * 2


def test_a_check_that_is_refused_leaves_the_notice(front: Front, platform: Platform) -> None:
    """Another check runs, or the benchmarks' folder is away."""
    answered(platform)
    platform.answers("GET", "/benchmarks/check", problem(409, "busy", "Another check runs."))
    assert "Benchmark &#39;surfaces&#39; is broken." in shown(front, platform)


def test_other_users_are_asked_nothing(front: Front, platform: Platform) -> None:
    assert shown(front, platform, is_admin=False) == ""
    assert platform.asked == []
