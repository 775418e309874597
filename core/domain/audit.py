"""The values of the audit trail: what an admin did, to what, when, from where, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LONGEST_NAME = 64
LONGEST_TARGET = 200
LONGEST_DETAIL = 120
MOST_DETAILS = 3
MOST_ENTRIES = 50_000
"""The entries take about 20 MB of the ledger's memory, at most 90 MB: every text in them is bounded."""
READ_SECONDS = 3600
"""The same read within this time makes one entry."""
SCANNED = 10_000
"""The most entries that one page looks at."""
CURSOR = re.compile(r"[1-9][0-9]{0,14}-[0-9]{1,9}")
LOCAL = "(local)"
"""The actor of commands on the machine itself. No user's name has a bracket."""
FIRST_FAILURE_STATUS = 500
FIRST_REFUSAL_STATUS = 400
NOTHING_ANSWERED = 499


class AuditAction(StrEnum):
    """What was done. The actions from `account.list` on are reads."""

    ACCOUNT_ADD = "account.add"
    ACCOUNT_REMOVE = "account.remove"
    RUNNER_PAUSE = "runner.pause"
    RUNNER_DRAIN = "runner.drain"
    RUNNER_RESUME = "runner.resume"
    RUNNER_CANARY = "runner.canary"
    DEAD_LETTER_RETRY = "dead_letter.retry"
    DEAD_LETTER_DROP = "dead_letter.drop"
    RETENTION_RUN = "retention.run"
    JOB_PIN = "job.pin"
    JOB_UNPIN = "job.unpin"
    JOB_POST = "job.post"
    """A job of another user's submission."""
    JOB_RERUN = "job.rerun"
    JOB_CANCEL = "job.cancel"
    RESULT_RESTORE = "result.restore"
    ENTRY_CHANGE = "entry.change"
    """Title, note or visibility of another user's entry on a board."""
    ENTRY_DISQUALIFY = "entry.disqualify"
    ENTRY_RESTORE = "entry.restore"
    ENTRY_BASELINE = "entry.baseline"
    ENTRY_NO_BASELINE = "entry.no_baseline"
    RESULT_RESCORE = "result.rescore"
    OTHER = "other"
    """A call that is not in the table of gateway/middleware/audit_table.py."""

    ACCOUNT_LIST = "account.list"
    JOB_LIST = "job.list"
    JOB_READ = "job.read"
    LOG_READ = "log.read"
    RESULT_READ = "result.read"
    ARTIFACT_READ = "artifact.read"
    SUBMISSION_LIST = "submission.list"
    SUBMISSION_READ = "submission.read"
    SUBMISSION_DOWNLOAD = "submission.download"
    TRACKING_READ = "tracking.read"
    PLATFORM_READ = "platform.read"
    """Runners, queues, failed steps, figures, what retention would remove."""
    AUDIT_READ = "audit.read"


class AuditMethod(StrEnum):
    """How the actor authenticated."""

    API_TOKEN = "api_token"  # noqa: S105 a kind of token, not one
    PASSWORD = "password"  # noqa: S105 a way to sign in, not a password
    OIDC = "oidc"
    LOCAL = "local"
    """A command run on the machine itself, by a person with access to it."""


class AuditTarget(StrEnum):
    """The kind of a target."""

    USER = "user"
    RUNNER = "runner"
    DEAD_LETTER = "dead_letter"
    JOB = "job"
    SUBMISSION = "submission"
    RUN = "run"
    EXPERIMENT = "experiment"
    SITE = "site"
    """No single object; the target is the call's address."""


class AuditOutcome(StrEnum):
    """How an act ended."""

    BEGUN = "begun"
    """Written before the step. If it stays, the process ended before the outcome was known."""
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    READ = "read"
    """Access was given; only the first of its kind within an hour is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditAct:
    """An act of an admin. Every text in it is made printable and cut to its limit here."""

    actor: str
    method: AuditMethod
    action: AuditAction
    target_kind: AuditTarget
    target: str = ""
    owner: str = ""
    """The user to whom the target belongs, if any."""
    address: str = ""
    """As determined by ClientAddress: the nearest address that is not a trusted proxy."""
    request_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("actor", "owner", "address", "request_id"):
            object.__setattr__(self, name, inert(getattr(self, name), LONGEST_NAME))
        object.__setattr__(self, "target", inert(self.target, LONGEST_TARGET))
        kept = list(self.details.items())[:MOST_DETAILS]
        object.__setattr__(
            self, "details", {inert(key, LONGEST_NAME): inert(value, LONGEST_DETAIL) for key, value in kept}
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """An act as stored. `status` is the HTTP status of the answer, if there was one."""

    entry_id: str
    at: datetime
    act: AuditAct
    outcome: AuditOutcome
    status: int | None = None


def inert(text: str, longest: int) -> str:
    """`text` on one line in visible ASCII, at most `longest` characters; every other character is escaped."""
    shown = "".join(one if " " <= one <= "~" else _escaped(one) for one in text[:longest])
    return shown if len(shown) <= longest and len(text) <= longest else f"{shown[: longest - 3]}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def outcome_of(status: int) -> AuditOutcome:
    """The outcome that an answer's status stands for."""
    if status == NOTHING_ANSWERED or status >= FIRST_FAILURE_STATUS:
        return AuditOutcome.FAILED
    return AuditOutcome.REFUSED if status >= FIRST_REFUSAL_STATUS else AuditOutcome.DONE
