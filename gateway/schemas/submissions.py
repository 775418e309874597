"""Answers about submissions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Path

from core.domain.submission import Submission
from core.ports.storage import SubmissionPage
from gateway.schemas.jobs import Answer, FileView

SubmissionId = Annotated[str, Path(max_length=64)]


class SubmissionView(Answer):
    submission_id: str
    user_id: str
    entrypoint: str
    config_file: str
    files: list[FileView]
    sha256: str
    metadata: dict[str, Any]
    created_at: datetime
    duplicate_of: str | None
    """In the answer to an upload: an earlier identical submission of the same user."""
    notes: list[str]
    """In the answer to an upload: what was changed or left out, and what its runs will meet, in sentences."""

    @classmethod
    def of(cls, submission: Submission) -> Self:
        return cls.model_validate(submission)


class SubmissionSummaryView(Answer):
    """A submission in a list, without its files and metadata; `GET /submissions/{submission_id}` has them."""

    submission_id: str
    user_id: str
    entrypoint: str
    config_file: str
    sha256: str
    created_at: datetime
    file_count: int
    size_bytes: int


class SubmissionList(Answer):
    items: list[SubmissionSummaryView]
    next_cursor: str | None

    @classmethod
    def of(cls, page: SubmissionPage) -> Self:
        items = [SubmissionSummaryView.model_validate(item) for item in page.submissions]
        return cls(items=items, next_cursor=page.next_cursor)
