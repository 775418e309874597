"""CreateSubmission: an upload becomes a submission, or is refused whole; CountUpload: so many in an hour."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass

from core.domain.errors import Unavailable
from core.domain.submission import Submission, Upload, check_upload
from core.domain.user import User
from core.ports.rate_limit import RateLimitPort
from core.ports.storage import StoragePort


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateSubmission:
    """Raises InvalidInput, TooLarge, StorageFull, Unavailable; then nothing of the upload is left."""

    storage: StoragePort

    def __call__(self, upload: Upload) -> Submission:
        metadata = check_upload(upload)
        return self.storage.create_submission(upload, metadata)


@dataclass(frozen=True, kw_only=True, slots=True)
class CountUpload:
    """One more upload of this user in this hour. Raises LimitReached, Unavailable."""

    rate_limit: RateLimitPort
    per_hour: int

    def __call__(self, user: User) -> str:
        """The count's own id, with which it can be given back."""
        upload_id = secrets.token_hex(16)
        self.rate_limit.take_upload(user.user_id, upload_id, per_hour=self.per_hour)
        return upload_id

    def give_back(self, user: User, upload_id: str) -> None:
        """For an upload that stored nothing. Without the counter's answer the place is lost for the hour."""
        with suppress(Unavailable):
            self.rate_limit.give_back_upload(user.user_id, upload_id)
