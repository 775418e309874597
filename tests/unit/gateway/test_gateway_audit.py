"""DOR-7: every act of an admin is in the audit trail before it is done; no call changes an entry."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request

import core.domain.user
from core.domain.audit import AuditAction, AuditOutcome
from core.domain.dead_letter import failure_of
from core.domain.errors import Unavailable
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.domain.user import Role, User
from core.ports.audit import AuditFilter
from core.usecases.accounts import AddAccount
from gateway.auth.authenticator import current_admin, current_user
from gateway.middleware.audit_table import TABLE, UNRECORDED, Scope
from tests.builders import NOON
from tests.conftest import REPOSITORY
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit

ALL = AuditFilter()
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
        "gateway/auth/authenticator.py",  # current_user, which records, and current_admin
        "gateway/auth/oidc.py",  # gives the role
        "gateway/routes/tracking.py",  # records what read_tracking allows
    }


def test_a_change_is_there_before_it_is_made_and_its_outcome_before_the_answer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(
        type(site.ports.accounts), "remove", lambda _self, _name: seen.extend(site.ports.audit.page(ALL).entries)
    )
    answer = site.as_("root").delete("/users/ann", headers={"X-Request-ID": "my-request-1"})
    assert answer.status_code == 204
    (before,) = seen
    assert (before.outcome, before.status) == (AuditOutcome.BEGUN, None)
    (after,) = site.ports.audit.page(ALL).entries
    assert (after.act, after.outcome, after.status) == (before.act, AuditOutcome.DONE, 204)
    assert (after.act.actor, after.act.method, after.act.request_id) == ("root", "api_token", "my-request-1")


def test_accounts(site: Site) -> None:
    """The name and role of a new one are in it; its password is not."""
    root = site.as_("root")
    body = {"name": "carl", "password": "correct horse battery", "role": "admin"}
    assert [root.post("/users", json=body).status_code for _ in range(2)] == [201, 409]
    root.post("/users", json={"name": "x y\u202e", "role": "user"})
    root.post("/users", content=b"[1]", headers={"Content-Type": "application/json"})
    root.delete("/users/carl")
    root.delete("/users/nobody")
    root.get("/users")
    assert trail(site) == [
        ("root", "account.add", "carl", "done", 201),
        ("root", "account.add", "carl", "refused", 409),
        ("root", "account.add", r"x y\u202e", "refused", 422),
        ("root", "account.add", "", "refused", 422),
        ("root", "account.remove", "carl", "done", 204),
        ("root", "account.remove", "nobody", "refused", 404),
        ("root", "account.list", "GET /users", "read", None),
    ]
    assert "correct horse" not in repr(site.ports.audit)


def test_runners_letters_and_retention(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = ClassFigures(name="small", cpus=2, memory_bytes=1, gpus="auto", timeout_seconds=60)
    report = RunnerReport(
        name="box:1", host="engine", version="1", since=NOON, state=RunnerState.READY, classes=(figures,)
    )
    site.ports.runners.publish(report)
    letter = site.ports.dead_letters.keep(failure_of("sweep", OSError("x"))).letter_id
    root = site.as_("root")
    for word in ("pause", "drain", "resume", "canary"):
        assert root.post(f"/admin/runners/box:1/{word}").status_code == 202
    root.post(f"/admin/dead-letters/{letter}/retry")
    root.delete(f"/admin/dead-letters/{letter}")
    monkeypatch.setattr("gateway.routes.retention.open_retention", _away)
    root.post("/admin/retention")
    root.post(f"/admin/jobs/{'5' * 32}/pin")
    root.delete(f"/admin/jobs/{'5' * 32}/pin")
    assert trail(site) == [
        *[("root", f"runner.{word}", "box:1", "done", 202) for word in ("pause", "drain", "resume", "canary")],
        ("root", "dead_letter.retry", letter, "refused", 409),
        ("root", "dead_letter.drop", letter, "done", 204),
        ("root", "retention.run", "POST /admin/retention", "failed", 503),
        ("root", "job.pin", "5" * 32, "failed", 503),
        ("root", "job.unpin", "5" * 32, "failed", 503),
    ]


def _away(*_more: object) -> Any:
    raise Unavailable("MLflow")


def test_what_is_anothers_is_recorded_and_ones_own_is_not(site: Site) -> None:
    """An admin's own jobs are no act of an admin; nor are requests of users, whatever they try."""
    theirs, own = site.run("ada"), site.run("root")
    submission = site.ports.job_status.get(theirs).submission_id
    ada, bob, root = site.as_("ada"), site.as_("bob"), site.as_("root")
    for client in (ada, bob, root):
        for job_id in (theirs, own):
            client.get(f"/jobs/{job_id}/logs")
    bob.delete("/users/ada")
    bob.post("/admin/retention")
    for path in ("status", "results", "artifacts", "artifacts/a/b.png", "artifacts/c.txt"):
        root.get(f"/jobs/{theirs}/{path}")
        root.get(f"/jobs/{own}/{path}")
    root.post(f"/jobs/{theirs}/cancel")
    root.post(f"/jobs/{own}/cancel")
    root.post(f"/jobs/{theirs}/rerun")
    root.get(f"/submissions/{submission}")
    root.get(f"/submissions/{submission}/archive")
    root.post("/jobs", json={"submission_id": submission, "config": {}})
    root.get(f"/jobs/{'0' * 32}/logs")
    found = trail(site)
    assert found == [
        ("root", "log.read", theirs, "read", None),
        ("root", "job.read", theirs, "read", None),
        ("root", "result.read", theirs, "read", None),
        ("root", "artifact.read", theirs, "read", None),
        ("root", "artifact.read", theirs, "read", None),
        ("root", "artifact.read", theirs, "read", None),
        ("root", "job.cancel", theirs, "refused", 409),
        ("root", "job.rerun", theirs, "done", 202),
        ("root", "submission.read", submission, "read", None),
        ("root", "submission.download", submission, "read", None),
        ("root", "job.post", submission, "done", 202),
    ]
    owners = {one.act.owner for one in site.ports.audit.page(ALL).entries}
    assert owners == {"ada"}
    paths = [one.act.details.get("path") for one in site.ports.audit.page(AuditFilter(action="artifact.read")).entries]
    assert paths == ["c.txt", "a/b.png", None]


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


def test_following_a_log_is_one_entry_and_costs_one_write(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = site.post_job("ada")
    asked: list[object] = []
    true = site.ports.audit.read
    monkeypatch.setattr(site.ports.audit, "read", lambda act: asked.append(act) or true(act))
    for _ in range(5):
        assert site.as_("root").get(f"/jobs/{job_id}/logs").status_code == 200
    assert (len(asked), len(trail(site))) == (1, 1)


def test_what_cannot_be_recorded_is_not_done(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 before the step; and a user's requests need no trail."""
    job_id, own = site.post_job("ada"), site.post_job("root")
    AddAccount(accounts=site.ports.accounts, passwords=site.app.state.doorkeeper.passwords)("carl", None, Role.USER)
    for name in ("begin", "read"):
        monkeypatch.setattr(site.ports.audit, name, lambda _act: _away())
    root = site.as_("root")
    assert root.delete("/users/carl").status_code == 503
    assert site.ports.accounts.find("carl") is not None
    assert root.post(f"/jobs/{job_id}/cancel").status_code == 503
    assert not site.ports.job_status.get(job_id).cancel_requested
    assert root.get(f"/jobs/{job_id}/logs").status_code == 503
    assert root.get(f"/jobs/{own}/logs").status_code == 200
    for path in ("overview", "runners", "dead-letters", "audit"):
        assert root.get(f"/admin/{path}").status_code == 200, "an outage is looked at with it"
    assert site.as_("ada").post(f"/jobs/{job_id}/cancel").status_code == 202


def test_a_lost_outcome_fails_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step is done; its entry stays without an outcome."""
    monkeypatch.setattr(site.ports.audit, "end", lambda *_outcome: _away())
    assert site.as_("root").delete("/users/nobody").status_code == 404
    assert trail(site) == [("root", "account.remove", "nobody", "begun", None)]


def test_a_fault_of_ours_is_a_failed_act(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(site.ports.accounts), "remove", breaks)
    assert site.as_("root").delete("/users/carl").status_code == 500
    assert trail(site) == [("root", "account.remove", "carl", "failed", 500)]


def test_an_unknown_route_is_recorded_as_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one that was forgotten in the table leaves an entry, too."""
    monkeypatch.delitem(TABLE, ("DELETE", "/users/{name}"))  # type: ignore[arg-type]
    site.as_("root").delete("/users/carl")
    assert trail(site) == [("root", "other", "DELETE /users/{name}", "refused", 404)]


def test_a_route_may_record_the_run_whose_files_it_shows(site: Site) -> None:
    """The pages of MLflow: whose files are asked for is known only after a look at the call."""
    request = Request({"type": "http", "app": site.app, "headers": [], "client": ("192.0.2.7", 1), "state": {}})
    admin = User(user_id="root", role=Role.ADMIN)
    for _ in range(2):
        site.app.state.auditor.run_read(request, admin, "c0ffee")
    (entry,) = site.ports.audit.page(ALL).entries
    assert (entry.act.action, entry.act.target_kind, entry.act.target) == (AuditAction.TRACKING_READ, "run", "c0ffee")
    assert entry.act.address == "192.0.2.7"


def test_from_where_is_seen_through_trusted_proxies_alone(site: Site) -> None:
    """A forged X-Forwarded-For or X-Request-ID changes nothing and reaches nothing."""
    headers = {"X-Forwarded-For": "203.0.113.9\x0b, <b>", "X-Request-ID": 'a" or 1=1 --\t<script>'}
    site.as_("root").delete("/users/carl", headers=headers)
    (entry,) = site.ports.audit.page(ALL).entries
    assert entry.act.address == "unknown"  # the test's client has no address
    assert "script" not in entry.act.request_id
    assert len(entry.act.request_id) == 32


def test_the_trail_is_read_by_admins_a_page_at_a_time(site: Site) -> None:
    root = site.as_("root")
    for number in range(5):
        root.delete(f"/users/user{number}")
    first = root.get("/admin/audit", params={"limit": 2, "action": "account.remove"}).json()
    assert [one["target"] for one in first["items"]] == ["user4", "user3"]
    rest = root.get("/admin/audit", params={"action": "account.remove", "cursor": first["next_cursor"]}).json()
    assert [one["target"] for one in rest["items"]] == ["user2", "user1", "user0"]
    assert (rest["next_cursor"], rest["displaced"], rest["kept_days"]) == (None, 0, 90)
    found = root.get("/admin/audit", params={"target": "user3", "actor": "root"}).json()["items"]
    assert [(one["status"], one["outcome"], one["target_kind"]) for one in found] == [(404, "refused", "user")]
    assert root.get("/admin/audit", params={"actor": "eve"}).json()["items"] == []
    assert site.as_("ada").get("/admin/audit").status_code == 403
    assert site.as_(None).get("/admin/audit").status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x", "cursor=1-1-1", "cursor=%2B", "cursor=(1-1", "cursor=99999999999999999999-0", "cursor=-",
        "cursor=0-0", "actor=%C3%A9", "target=%E2%80%AE",
        "cursor=1-1%0A",
        "action=moon.land", "limit=0", "limit=201", "limit=x", "target=" + "x" * 201, "actor=" + "x" * 65,
    ],
)  # fmt: skip
def test_a_question_of_another_form_is_refused(site: Site, query: str) -> None:
    assert site.as_("root").get(f"/admin/audit?{query}").status_code == 422


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_call_changes_the_trail(site: Site, method: str) -> None:
    site.as_("root").delete("/users/carl")
    before = site.ports.audit.page(ALL).entries
    for path in ("/admin/audit", f"/admin/audit/{before[0].entry_id}"):
        assert site.as_("root").request(method, path).status_code in {404, 405}
    assert site.ports.audit.page(ALL).entries == before
