"""Says which calls of admins the audit trail records, and as what. Calls not listed are recorded as `other`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.audit import AuditAction, AuditTarget


class Scope(StrEnum):
    """When a call by an admin is recorded."""

    ADMINS = "admins"
    """Always: the call is for admins alone, or shows them all users' data."""
    OTHERS_JOB = "others_job"
    """When the job belongs to another user."""
    OTHERS_SUBMISSION = "others_submission"
    """When the submission belongs to another user."""
    FIGURES = "figures"
    """Never: counts without user names, scraped every few seconds, also needed while the trail cannot be written."""
    OWN = "own"
    """Never: it acts on the caller's own data, or shows what every user sees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How one call is recorded. GET calls are reads: one entry an hour for each target."""

    scope: Scope
    action: AuditAction = AuditAction.OTHER
    kind: AuditTarget = AuditTarget.SITE
    parameter: str = ""
    """The path parameter that names the target; empty: the target is the call's method and route."""
    body: str = ""
    """The field of the JSON body that names the target."""
    reads: bool = False
    """True for a read whose method is not GET, such as a search with its query in the body."""
    details: tuple[str, ...] = ()
    """Further path parameters or body fields to record. Never one that may hold a secret."""


UNRECORDED = frozenset({Scope.OWN, Scope.FIGURES})
OPEN_READS = frozenset({AuditAction.PLATFORM_READ, AuditAction.AUDIT_READ})
"""Allowed even when they cannot be recorded: admins need them in an outage, and none shows a user's files."""
OWN = Rule(scope=Scope.OWN)
UNKNOWN = Rule(scope=Scope.ADMINS)


def _admins(
    action: AuditAction,
    kind: AuditTarget = AuditTarget.SITE,
    parameter: str = "",
    *,
    body: str = "",
    details: tuple[str, ...] = (),
    reads: bool = False,
) -> Rule:
    return Rule(
        scope=Scope.ADMINS, action=action, kind=kind, parameter=parameter, body=body, details=details, reads=reads
    )  # fmt: skip


def _job(action: AuditAction, *details: str) -> Rule:
    kind = AuditTarget.JOB
    return Rule(scope=Scope.OTHERS_JOB, action=action, kind=kind, parameter="job_id", details=details)


def _submission(action: AuditAction, *, body: str = "") -> Rule:
    return Rule(
        scope=Scope.OTHERS_SUBMISSION, action=action, kind=AuditTarget.SUBMISSION,
        parameter="" if body else "submission_id", body=body,
    )  # fmt: skip


TABLE: Mapping[tuple[str, str], Rule] = {
    ("POST", "/auth/logout"): OWN,
    ("POST", "/auth/password"): OWN,
    ("GET", "/auth/me"): OWN,
    ("GET", "/leaderboard"): OWN,
    ("GET", "/leaderboard/export"): OWN,
    ("GET", "/leaderboard/history"): OWN,
    ("GET", "/benchmarks"): OWN,
    ("GET", "/benchmarks/check"): _admins(AuditAction.PLATFORM_READ),
    ("GET", "/weights"): OWN,
    ("GET", "/resource-classes"): OWN,
    ("POST", "/submissions"): OWN,
    ("GET", "/submissions"): _admins(AuditAction.SUBMISSION_LIST),
    ("GET", "/submissions/{submission_id}"): _submission(AuditAction.SUBMISSION_READ),
    ("GET", "/submissions/{submission_id}/archive"): _submission(AuditAction.SUBMISSION_DOWNLOAD),
    ("POST", "/jobs"): _submission(AuditAction.JOB_POST, body="submission_id"),
    ("GET", "/jobs"): _admins(AuditAction.JOB_LIST),
    ("GET", "/jobs/{job_id}/status"): _job(AuditAction.JOB_READ),
    ("POST", "/jobs/{job_id}/cancel"): _job(AuditAction.JOB_CANCEL),
    ("POST", "/jobs/{job_id}/rerun"): _job(AuditAction.JOB_RERUN),
    ("GET", "/jobs/{job_id}/results"): _job(AuditAction.RESULT_READ),
    ("GET", "/jobs/{job_id}/entry"): _job(AuditAction.RESULT_READ),
    ("PATCH", "/jobs/{job_id}/entry"): _job(AuditAction.ENTRY_CHANGE, "title", "note"),
    ("GET", "/jobs/{job_id}/provenance"): _job(AuditAction.RESULT_READ),
    ("GET", "/jobs/{job_id}/logs"): _job(AuditAction.LOG_READ),
    ("GET", "/jobs/{job_id}/logs/stream"): _job(AuditAction.LOG_READ),
    ("GET", "/jobs/{job_id}/artifacts"): _job(AuditAction.ARTIFACT_READ),
    ("GET", "/jobs/{job_id}/artifacts/{path:path}"): _job(AuditAction.ARTIFACT_READ, "path"),
    ("POST", "/users"): _admins(AuditAction.ACCOUNT_ADD, AuditTarget.USER, body="name", details=("role",)),
    ("GET", "/users"): _admins(AuditAction.ACCOUNT_LIST),
    ("DELETE", "/users/{name}"): _admins(AuditAction.ACCOUNT_REMOVE, AuditTarget.USER, "name"),
    ("GET", "/admin/overview"): _admins(AuditAction.PLATFORM_READ),
    ("GET", "/admin/runners"): _admins(AuditAction.PLATFORM_READ),
    ("GET", "/admin/runners/{runner}"): _admins(AuditAction.PLATFORM_READ, AuditTarget.RUNNER, "runner"),
    ("POST", "/admin/runners/{runner}/pause"): _admins(AuditAction.RUNNER_PAUSE, AuditTarget.RUNNER, "runner"),
    ("POST", "/admin/runners/{runner}/drain"): _admins(AuditAction.RUNNER_DRAIN, AuditTarget.RUNNER, "runner"),
    ("POST", "/admin/runners/{runner}/resume"): _admins(AuditAction.RUNNER_RESUME, AuditTarget.RUNNER, "runner"),
    ("POST", "/admin/runners/{runner}/canary"): _admins(AuditAction.RUNNER_CANARY, AuditTarget.RUNNER, "runner"),
    ("GET", "/admin/dead-letters"): _admins(AuditAction.PLATFORM_READ),
    ("POST", "/admin/dead-letters/{letter_id}/retry"): _admins(
        AuditAction.DEAD_LETTER_RETRY, AuditTarget.DEAD_LETTER, "letter_id"
    ),
    ("DELETE", "/admin/dead-letters/{letter_id}"): _admins(
        AuditAction.DEAD_LETTER_DROP, AuditTarget.DEAD_LETTER, "letter_id"
    ),
    ("GET", "/admin/retention"): _admins(AuditAction.PLATFORM_READ),
    ("POST", "/admin/retention"): _admins(AuditAction.RETENTION_RUN),
    ("GET", "/admin/pins"): _admins(AuditAction.PLATFORM_READ),
    ("POST", "/admin/jobs/{job_id}/pin"): _admins(AuditAction.JOB_PIN, AuditTarget.JOB, "job_id"),
    ("DELETE", "/admin/jobs/{job_id}/pin"): _admins(AuditAction.JOB_UNPIN, AuditTarget.JOB, "job_id"),
    ("GET", "/admin/audit"): _admins(AuditAction.AUDIT_READ),
    ("POST", "/admin/results/{job_id}/restore"): _admins(AuditAction.RESULT_RESTORE, AuditTarget.JOB, "job_id"),
    ("POST", "/admin/entries/{job_id}/disqualify"): _admins(
        AuditAction.ENTRY_DISQUALIFY, AuditTarget.JOB, "job_id", details=("reason",)
    ),
    ("POST", "/admin/entries/{job_id}/restore"): _admins(
        AuditAction.ENTRY_RESTORE, AuditTarget.JOB, "job_id", details=("reason",)
    ),
    ("POST", "/admin/entries/{job_id}/baseline"): _admins(AuditAction.ENTRY_BASELINE, AuditTarget.JOB, "job_id"),
    ("DELETE", "/admin/entries/{job_id}/baseline"): _admins(AuditAction.ENTRY_NO_BASELINE, AuditTarget.JOB, "job_id"),
    ("POST", "/admin/results/{job_id}/rescore"): _admins(AuditAction.RESULT_RESCORE, AuditTarget.JOB, "job_id"),
    # MLflow's pages are the same for every user; the route itself records files and what belongs to no board.
    **{(method, "/mlflow/{path:path}"): OWN for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    ("GET", "/metrics"): Rule(scope=Scope.FIGURES),
}
"""By method and route template."""


def rule_of(method: str, template: str) -> Rule:
    """The rule for a call; calls not listed are recorded, too."""
    return TABLE.get((method, template), UNKNOWN)
