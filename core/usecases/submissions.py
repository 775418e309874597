"""What an owner or an admin may do with a submission: see, list, download it (SUB-7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.errors import NotFound
from core.domain.submission import Submission
from core.domain.user import Role, User
from core.ports.storage import StoragePort, SubmissionPage


@dataclass(frozen=True, kw_only=True, slots=True)
class GetSubmission:
    """Raises NotFound (the same for missing submissions and other users' submissions), Unavailable."""

    storage: StoragePort

    def __call__(self, user: User, submission_id: str) -> Submission:
        submission = self.storage.get_submission(submission_id)
        if not user.may_see(submission.user_id):
            raise NotFound("submission", submission_id)
        return submission


@dataclass(frozen=True, kw_only=True, slots=True)
class ListSubmissions:
    """Lists a user's own submissions, for admins all submissions. Raises InvalidInput, Unavailable."""

    storage: StoragePort

    def __call__(self, user: User, *, limit: int, cursor: str | None) -> SubmissionPage:
        owner = None if user.role is Role.ADMIN else user.user_id
        return self.storage.list_submissions(user_id=owner, limit=limit, cursor=cursor)


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadSubmission:
    """The files as a tar.gz, piece by piece. Raises NotFound and Unavailable before the first piece."""

    storage: StoragePort

    def __call__(self, user: User, submission_id: str) -> Iterator[bytes]:
        GetSubmission(storage=self.storage)(user, submission_id)
        return self.storage.submission_archive(submission_id)
