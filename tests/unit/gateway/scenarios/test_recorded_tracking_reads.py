"""DOR-7: an admin's reads below /mlflow of what is not everybody's are in the audit trail."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from core.domain.audit import AuditAction
from core.domain.errors import Unavailable
from core.domain.user import Role, User
from core.ports.audit import AuditFilter
from tests.sites import Site

pytestmark = pytest.mark.unit


ALL = AuditFilter()


def trail(site: Site, **wanted: Any) -> list[tuple[str, str, str, str, int | None]]:
    """Actor, action, target, outcome and status, oldest first."""
    entries = site.ports.audit.page(AuditFilter(**wanted), limit=200).entries
    found = [
        (one.act.actor, str(one.act.action), one.act.target, str(one.outcome), one.status) for one in reversed(entries)
    ]
    return [row for row in found if row[1] != AuditAction.AUDIT_READ]


def _away(*_more: object) -> Any:
    raise Unavailable("MLflow")


def test_files_of_anothers_run_at_mlflow_are_recorded(site: Site) -> None:
    """Read through MLflow's pages they are the same files; the ledger says whose the run is, whatever its tags say."""
    runs = [site.ports.job_status.get(site.run(user)).run_id for user in ("ada", "root")]
    for run_id in runs:
        for user in ("ada", "root"):
            site.as_(user).get("/mlflow/get-artifact", params={"path": "a.txt", "run_uuid": run_id})
            site.as_(user).get("/mlflow/ajax-api/2.0/mlflow/runs/get", params={"run_id": run_id})
    assert trail(site) == [("root", "tracking.read", runs[0], "read", None)]
    assert [one.act.owner for one in site.ports.audit.page(ALL).entries] == ["ada"]


def test_what_belongs_to_no_board_is_recorded_when_an_admin_reads_it(site: Site) -> None:
    """Experiments by id and by name, runs, the list of all; what everybody sees is not, and a user's try is none."""
    run_id = site.ports.job_status.get(site.run("ada")).run_id
    api = "/mlflow/ajax-api/2.0/mlflow"
    for user in ("root", "ada"):
        asking = site.as_(user)
        for _time in range(2):
            asking.get(f"{api}/experiments/get", params={"experiment_id": "9"})
            asking.get(f"{api}/experiments/get-by-name", params={"experiment_name": "secret"})
            asking.post(f"{api}/runs/search", json={"experiment_ids": ["8"]})
            asking.get(f"{api}/runs/get", params={"run_id": "f" * 32})
            asking.get(f"{api}/experiments/search")
        asking.get(f"{api}/experiments/get-by-name", params={"experiment_name": "synthetic"})
        asking.get(f"{api}/runs/get", params={"run_id": run_id})
    kept = site.ports.audit.page(ALL).entries
    assert {(one.act.action, one.act.actor) for one in kept} == {("tracking.read", "root")}
    assert [(one.act.target_kind, one.act.target) for one in reversed(kept)] == [
        ("experiment", "9"),
        ("experiment", "secret"),
        ("experiment", "8"),
        ("run", "f" * 32),
        ("site", "/ajax-api/2.0/mlflow/experiments/search"),
    ]


def test_what_belongs_to_no_board_is_not_shown_unrecorded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.ports.audit, "read", lambda _act: _away())
    root, api = site.as_("root"), "/mlflow/ajax-api/2.0/mlflow"
    assert root.get(f"{api}/experiments/get", params={"experiment_id": "9"}).status_code == 503
    assert root.get(f"{api}/experiments/get-by-name", params={"experiment_name": "synthetic"}).status_code == 200


def test_a_route_may_record_the_run_whose_files_it_shows(site: Site) -> None:
    """The pages of MLflow: whose files are asked for is known only after a look at the call."""
    request = Request({"type": "http", "app": site.app, "headers": [], "client": ("192.0.2.7", 1), "state": {}})
    admin = User(user_id="root", role=Role.ADMIN)
    for _ in range(2):
        site.state.auditor.run_read(request, admin, "c0ffee")
    (entry,) = site.ports.audit.page(ALL).entries
    assert (entry.act.action, entry.act.target_kind, entry.act.target) == (AuditAction.TRACKING_READ, "run", "c0ffee")
    assert entry.act.address == "192.0.2.7"
