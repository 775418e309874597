"""CreateSubmission: an upload becomes a submission, or is refused whole."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.submission import Submission, Upload, check_upload
from core.ports.storage import StoragePort


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateSubmission:
    """Raises InvalidInput, TooLarge, StorageFull, Unavailable; then nothing of the upload is left."""

    storage: StoragePort

    def __call__(self, upload: Upload) -> Submission:
        metadata = check_upload(upload)
        return self.storage.create_submission(upload, metadata)
