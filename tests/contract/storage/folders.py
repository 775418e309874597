"""A storage in a folder, and uploads, for the tests of the storage port."""

from __future__ import annotations

import io
from pathlib import Path

from core.adapters.files.storage import FilesystemStorage
from core.domain.limits import UploadLimits
from core.domain.submission import Submission, Upload, UploadedFile
from core.ports.storage import StoragePort


def storage_at(root: Path) -> FilesystemStorage:
    (root / "logs").mkdir(parents=True, exist_ok=True)
    return FilesystemStorage(upload_root=root, log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0)


def uploaded(storage: StoragePort, user: str = "ann", *, note: str = "", **files: bytes) -> Submission:
    named = {"main.py": b"print(1)", **{name.replace("__", "."): raw for name, raw in files.items()}}
    sent = [UploadedFile(name=name, content=io.BytesIO(raw)) for name, raw in named.items()]
    return storage.create_submission(Upload(user_id=user, files=sent), {"note": note})


def strays(root: Path) -> list[str]:
    """Every file but those of complete submissions."""
    return [str(path) for path in root.rglob("*") if path.is_file() and not path.relative_to(root).parts[0].isalnum()]


def bytes_read() -> int:
    """What this process has read so far, whatever from."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])
