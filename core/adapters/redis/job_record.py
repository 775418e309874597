"""A job as the fields of a Redis hash, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from core.domain.errors import InvalidInput
from core.domain.job import Job, JobState, Outcome, Phase
from core.domain.verdict import FailureReason

CURSOR = re.compile(r"[0-9]{1,12}\.[0-9]{6}")


def moment(stamp: str | float) -> datetime:
    """Seconds since 1970 as a UTC time."""
    return datetime.fromtimestamp(float(stamp), UTC)


def cursor_score(text: str) -> float:
    """The time of a list's cursor: digits and one dot, as written by `list_jobs`. Raises InvalidInput."""
    if not CURSOR.fullmatch(text):
        raise InvalidInput.of("cursor", "is not one that this list gave out")
    return float(text)


def job_from(fields: Mapping[str, str]) -> Job:
    """The job stored in a hash."""
    reason = fields.get("failure_reason")
    return Job(
        job_id=fields["job_id"],
        submission_id=fields["submission_id"],
        user_id=fields["user_id"],
        resource_class=fields["resource_class"],
        benchmark=fields["benchmark"],
        overrides=json.loads(fields["overrides"]),
        state=JobState(fields["status"]),
        phase=Phase(fields["phase"]),
        attempt=int(fields["attempt"]),
        created_at=moment(fields["created_at"]),
        updated_at=moment(fields["updated_at"]),
        started_at=_optional_moment(fields, "started_at"),
        finished_at=_optional_moment(fields, "finished_at"),
        run_id=fields.get("run_id"),
        failure_reason=FailureReason(reason) if reason else None,
        error_message=fields.get("error_message"),
        device=fields.get("device"),
        cancel_requested=fields.get("cancel_requested") == "1",
        peaks=json.loads(fields.get("peaks", "{}")),
        rerun_of=fields.get("rerun_of"),
        sandbox=fields.get("sandbox"),
        host=fields.get("host"),
        sealed=fields.get("sealed") == "1",
        begun_run=fields.get("begun_run"),
        losses=int(fields.get("losses", "0")),
        again_because=fields.get("again_because") or None,
        trial=fields.get("trial") == "1",
        logged=fields.get("logged") == "1",
        notes=tuple(json.loads(fields.get("notes", "[]"))),
        ranked=fields["ranked"] == "1" if "ranked" in fields else None,
        unranked_because=fields.get("unranked_because"),
    )


def outcome_fields(outcome: Outcome) -> dict[str, str]:
    """The fields that an outcome adds to the hash, besides the state."""
    fields = {
        "failure_reason": outcome.reason,
        "error_message": outcome.message,
        "run_id": outcome.run_id,
        "peaks": json.dumps(dict(outcome.peaks)) if outcome.peaks else None,
        "notes": json.dumps(outcome.notes) if outcome.notes else None,
        "ranked": None if outcome.ranked is None else str(int(outcome.ranked)),
        "unranked_because": outcome.unranked_because,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _optional_moment(fields: Mapping[str, str], name: str) -> datetime | None:
    return moment(fields[name]) if name in fields else None
