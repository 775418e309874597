"""DOR-7: every act of an admin is in the audit trail before it is done, and its outcome before the answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.audit import AuditAction, AuditOutcome
from core.domain.dead_letter import failure_of
from core.domain.errors import Unavailable
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.domain.user import Role
from core.ports.audit import AuditFilter
from core.usecases.accounts import AddAccount
from tests.builders import NOON
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


@pytest.mark.slow
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


def test_runners_letters_and_retention(site: Site) -> None:
    site.retention = SimpleNamespace(carry_out=_away, records=SimpleNamespace(pin=_away, unpin=_away))
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
    AddAccount(accounts=site.ports.accounts, passwords=site.state.authenticator.passwords)("carl", None, Role.USER)
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


def test_from_where_is_seen_through_trusted_proxies_alone(site: Site) -> None:
    """A forged X-Forwarded-For or X-Request-ID changes nothing and reaches nothing."""
    headers = {"X-Forwarded-For": "203.0.113.9\x0b, <b>", "X-Request-ID": 'a" or 1=1 --\t<script>'}
    site.as_("root").delete("/users/carl", headers=headers)
    (entry,) = site.ports.audit.page(ALL).entries
    assert entry.act.address == "unknown"  # the test's client has no address
    assert "script" not in entry.act.request_id
    assert len(entry.act.request_id) == 32
