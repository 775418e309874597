"""CreateSubmission stores an upload or refuses it as a whole; CountUpload limits the uploads per hour."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import Unavailable
from core.domain.submission import Findings, LookAtUpload, Start, Submission, Upload, check_upload, not_looked_at
from core.domain.user import User
from core.ports.rate_limit import RateLimitPort
from core.ports.storage import StoragePort


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateSubmission:
    """Raises InvalidInput, TooLarge, StorageFull, Unavailable; after any of them nothing of the upload is left."""

    storage: StoragePort
    look_inside: LookAtUpload = not_looked_at

    def __call__(self, upload: Upload) -> Submission:
        metadata = check_upload(upload)

        def look(folder: Path, start: Start) -> Findings:
            return self.look_inside(folder, start, metadata)

        return self.storage.create_submission(upload, metadata, look)


@dataclass(frozen=True, kw_only=True, slots=True)
class CountUpload:
    """Counts an upload of this user for this hour, before it is read. Raises LimitReached, Unavailable.

    It counts as refused until one of the other methods is called. If the counter does not answer them, its places are
    lost for the hour.
    """

    rate_limit: RateLimitPort
    per_hour: int
    refused_per_hour: int

    def __call__(self, user: User) -> str:
        """Count a new upload. Returns the id under which it is counted."""
        upload_id = secrets.token_hex(16)
        self.rate_limit.take_upload(
            user.user_id, upload_id, per_hour=self.per_hour, refused_per_hour=self.refused_per_hour
        )
        return upload_id

    def stored(self, user: User, upload_id: str) -> None:
        with suppress(Unavailable):
            self.rate_limit.upload_stored(user.user_id, upload_id)

    def refused(self, user: User, upload_id: str) -> None:
        """The upload broke a rule or was interrupted."""
        with suppress(Unavailable):
            self.rate_limit.upload_refused(user.user_id, upload_id)

    def give_back(self, user: User, upload_id: str) -> None:
        """The platform failed: the upload does not count."""
        with suppress(Unavailable):
            self.rate_limit.give_back_upload(user.user_id, upload_id)
