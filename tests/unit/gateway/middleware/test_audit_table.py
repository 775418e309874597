"""DOR-7: each route has its rule for the audit trail."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

import core.domain.user
from core.domain.audit import AuditAction
from core.ports.audit import AuditFilter
from gateway.dependencies import current_admin, current_user
from gateway.middleware.audit_table import TABLE, UNRECORDED, Scope
from tests.conftest import REPOSITORY
from tests.sites import Site

pytestmark = pytest.mark.unit


SITE_WIDE_LISTS = {("GET", "/jobs"), ("GET", "/submissions")}


def routes(site: Site) -> list[APIRoute]:
    found = (context.original_route for context in iter_route_contexts(site.app.routes))
    return [route for route in found if isinstance(route, APIRoute)]


def needs(dependant: Dependant, call: Any) -> bool:
    return dependant.call is call or any(needs(inner, call) for inner in dependant.dependencies)


def trail(site: Site, **wanted: Any) -> list[tuple[str, str, str, str, int | None]]:
    """Actor, action, target, outcome and status, oldest first."""
    entries = site.ports.audit.page(AuditFilter(**wanted), limit=200).entries
    found = [
        (one.act.actor, str(one.act.action), one.act.target, str(one.outcome), one.status) for one in reversed(entries)
    ]
    return [row for row in found if row[1] != AuditAction.AUDIT_READ]


def test_every_route_of_signed_in_users_has_its_rule(site: Site) -> None:
    """A new route fails here until it is decided how an admin's call of it is recorded; until then it is as `other`."""
    calls = {
        (method, route.path): route
        for route in routes(site)
        if needs(route.dependant, current_user)
        for method in route.methods
    }
    assert set(calls) == set(TABLE), "gateway/middleware/audit_table.py and the routes differ"
    for call, route in calls.items():
        rule = TABLE[call]
        if needs(route.dependant, current_admin):
            expected = Scope.FIGURES if call == ("GET", "/metrics") else Scope.ADMINS
            assert rule.scope is expected, f"{call} is for admins, and not recorded as theirs"
        if "{job_id}" in route.path or "{submission_id}" in route.path:
            assert rule.scope is not Scope.OWN, f"{call} reaches what may be another user's"
        assert not rule.parameter or f"{{{rule.parameter}" in route.path
        assert (rule.action is not AuditAction.OTHER) == (rule.scope not in UNRECORDED)
    assert all(TABLE[call].scope is Scope.ADMINS for call in SITE_WIDE_LISTS)


def test_every_use_of_an_admins_right_is_behind_a_recorded_route() -> None:
    """A new module that lets admins act for others is noticed: who may see what is decided in two places alone."""
    uses = set()
    for folder in ("core", "gateway"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
            if names & {"may_see", "ADMIN"}:
                uses.add(path.relative_to(REPOSITORY).as_posix())
    assert Path(core.domain.user.__file__).is_relative_to(REPOSITORY)
    assert uses == {
        "core/domain/user.py",
        "core/usecases/jobs.py",  # visible_job and ListJobs
        "core/usecases/read_tracking.py",  # files of runs, which gateway/routes/tracking.py records
        "core/usecases/submissions.py",  # GetSubmission and ListSubmissions
        "gateway/auth/accounts_command.py",  # gives the role
        "gateway/auth/authenticator.py",  # gives the role
        "gateway/dependencies.py",  # current_user, which records, and current_admin
        "gateway/auth/oidc.py",  # gives the role
        "gateway/routes/tracking.py",  # records what read_tracking allows
    }


def test_an_unknown_route_is_recorded_as_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one that was forgotten in the table leaves an entry, too."""
    monkeypatch.delitem(TABLE, ("DELETE", "/users/{name}"))  # type: ignore[arg-type]
    site.as_("root").delete("/users/carl")
    assert trail(site) == [("root", "other", "DELETE /users/{name}", "refused", 404)]
