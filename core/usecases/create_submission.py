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
    """One more upload of this user in this hour, counted before it is read. Raises LimitReached, Unavailable.

    It counts as refused until one of the other calls. Where the counter does not answer them, its places are lost for
    the hour.
    """

    rate_limit: RateLimitPort
    per_hour: int
    refused_per_hour: int

    def __call__(self, user: User) -> str:
        """The count's own id."""
        upload_id = secrets.token_hex(16)
        self.rate_limit.take_upload(
            user.user_id, upload_id, per_hour=self.per_hour, refused_per_hour=self.refused_per_hour
        )
        return upload_id

    def stored(self, user: User, upload_id: str) -> None:
        with suppress(Unavailable):
            self.rate_limit.upload_stored(user.user_id, upload_id)

    def refused(self, user: User, upload_id: str) -> None:
        """What was sent broke a rule, or broke off."""
        with suppress(Unavailable):
            self.rate_limit.upload_refused(user.user_id, upload_id)

    def give_back(self, user: User, upload_id: str) -> None:
        """The platform failed it: it counts nowhere."""
        with suppress(Unavailable):
            self.rate_limit.give_back_upload(user.user_id, upload_id)
