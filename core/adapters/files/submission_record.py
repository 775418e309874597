"""A submission as its `metadata.json`, and back (SUB-5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.domain.submission import StoredFile, Submission


def record_of(submission: Submission) -> dict[str, Any]:
    return {
        "submission_id": submission.submission_id,
        "user_id": submission.user_id,
        "entrypoint": submission.entrypoint,
        "config_file": submission.config_file,
        "files": [{"path": file.path, "size_bytes": file.size_bytes} for file in submission.files],
        "sha256": submission.sha256,
        "metadata": submission.metadata,
        "created_at": submission.created_at.isoformat(),
    }


def submission_from(record: Mapping[str, Any]) -> Submission:
    return Submission(
        **{**record, "files": tuple(StoredFile(**file) for file in record["files"])}
        | {"created_at": datetime.fromisoformat(record["created_at"])}
    )
