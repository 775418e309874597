"""Builds values and archives with sensible defaults, so that a test names only what it is about."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from core.adapters.files.benchmark_folders import BenchmarkFolders
from core.adapters.files.storage import FilesystemStorage
from core.adapters.files.trial_files import TrialFiles
from core.domain.benchmark import Benchmark, MetricRule
from core.domain.job import Job, JobRequest, JobState, Phase
from core.domain.limits import UploadLimits
from core.domain.standings import Entry
from core.domain.submission import Upload, UploadedFile
from core.domain.verdict import RunRecord
from core.wiring import Ports
from tests.memory_ports import memory_ports
from tests.twins.job_status import MemoryJobStatus

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MAIN = b"print('hello')\n"
SMALL_LIMITS = UploadLimits(
    request_bytes=200_000, files=5, field_bytes=2_000, unpacked_bytes=3_000_000, entries=50, depth=6
)


def later(seconds: float) -> datetime:
    """A moment that many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


@dataclass
class Clock:
    """A clock that advances by `step` seconds at each call."""

    now: float = NOON.timestamp()
    step: float = 1.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


# --- jobs ---


def job_id(number: int) -> str:
    return f"{number:032x}"


def request(**changes: Any) -> JobRequest:
    defaults = {"submission_id": job_id(900), "user_id": "ada", "resource_class": "small", "benchmark": "synthetic"}
    return JobRequest(**{**defaults, **changes})


def job(**changes: Any) -> Job:
    defaults = {
        "job_id": job_id(1),
        "submission_id": job_id(900),
        "user_id": "ada",
        "resource_class": "small",
        "benchmark": "synthetic",
        "overrides": {},
        "state": JobState.PENDING,
        "phase": Phase.QUEUED,
        "attempt": 0,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Job(**{**defaults, **changes})


def record(**changes: Any) -> RunRecord:
    """The record of a run that passes."""
    defaults = {"exit_code": 0, "out_of_memory": False, "wall_seconds": 1.0, "metrics": metrics_json()}
    return RunRecord(**{**defaults, **changes})


def metrics_json(**changes: Any) -> bytes:
    document = {"params": {"method": "padim"}, "metrics": {"image_auc": 0.9}} | changes
    return json.dumps(document).encode()


# --- boards ---


def rule(**changes: Any) -> MetricRule:
    return MetricRule(**{"name": "image_auc", "minimum": 0, "maximum": 1, **changes})


def entry(number: int = 1, value: float | None = 0.5, **changes: Any) -> Entry:
    """A finished run of user `user<number>`, with that `image_auc`."""
    defaults = {
        "job_id": job_id(number),
        "submission_id": job_id(900 + number),
        "user_id": f"user{number}",
        "run_id": f"run{number}",
        "experiment_id": "7",
        "method": "padim",
        "metrics": {} if value is None else {"image_auc": value},
        "finished_at": later(number),
    }
    return Entry(**{**defaults, **changes})


def benchmark_document(**changes: Any) -> dict[str, Any]:
    metrics = [
        {"name": "image_auc", "direction": "maximize", "minimum": 0, "maximum": 1},
        {"name": "inference_time_ms", "direction": "minimize", "minimum": 0, "unit": "ms"},
    ]
    defaults = {"name": "synthetic", "title": "Surfaces", "primary_metric": "image_auc", "metrics": metrics}
    return {**defaults, **changes}


def benchmark(**changes: Any) -> Benchmark:
    return Benchmark.model_validate(benchmark_document(**changes))


def write_benchmark(root: Path, **changes: Any) -> Path:
    """Write a benchmark's folder below `root`. Returns the path of its `benchmark.yaml`."""
    document = benchmark_document(**changes)
    path = root / document["name"] / "benchmark.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


# --- uploads ---


def upload(files: Iterable[tuple[str, bytes]] | Mapping[str, bytes] | None = None, **changes: Any) -> Upload:
    files = {"main.py": MAIN} if files is None else files
    pairs = files.items() if isinstance(files, Mapping) else files
    sent = [UploadedFile(name=name, content=io.BytesIO(content)) for name, content in pairs]
    return Upload(**{"user_id": "ada", "files": sent, **changes})


@dataclass(frozen=True, kw_only=True)
class TarMember:
    """One member exactly as the archive shall have it, valid or not."""

    name: str
    content: bytes = b""
    type: bytes = tarfile.REGTYPE
    linkname: str = ""
    pax: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None

    def header(self) -> tarfile.TarInfo:
        info = tarfile.TarInfo(self.name)
        info.type, info.linkname, info.pax_headers = self.type, self.linkname, dict(self.pax)
        info.size = len(self.content) if self.size is None else self.size
        return info


def tar(*members: TarMember | tuple[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 tarfile's name for it
    """An uncompressed tar of these members, in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for member in members:
            found = TarMember(name=member[0], content=member[1]) if isinstance(member, tuple) else member
            archive.addfile(found.header(), io.BytesIO(found.content) if found.content else None)
    return out.getvalue()


def targz(*members: TarMember | tuple[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002
    return gzip.compress(tar(*members, format=format), mtime=0)


def zipped(*members: tuple[str, bytes], mode: int = 0, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members; `mode` are the Unix mode bits of each."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", compression) as archive:
        warnings.simplefilter("ignore")  # about duplicate names
        for name, content in members:
            info = zipfile.ZipInfo()
            info.filename = info.orig_filename = name
            info.external_attr, info.compress_type = mode << 16, compression
            archive.writestr(info, content)
    return out.getvalue()


def bad_crc(archive: bytes, content: bytes) -> bytes:
    """The same stored (uncompressed) zip with other bytes in place of a member's content."""
    return archive.replace(content, bytes(byte ^ 1 for byte in content))


# --- a whole site on in-memory twins ---


def ports(root: Path, *, limits: UploadLimits | None = None, min_free_bytes: int = 0) -> Ports:
    """Ports on in-memory twins and folders below `root`, with one benchmark."""
    write_benchmark(root / "benchmarks")
    return memory_ports(
        storage=storage(root, limits=limits, min_free_bytes=min_free_bytes),
        trial_files=TrialFiles(root / "logs"),
        benchmarks=BenchmarkFolders(root / "benchmarks"),
        job_status=MemoryJobStatus(clock=Clock()),
    )


def storage(root: Path, *, limits: UploadLimits | None = None, min_free_bytes: int = 0) -> FilesystemStorage:
    """A storage in `root`'s folders submissions and logs, which are created if missing."""
    for name in ("submissions", "logs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    return FilesystemStorage(
        upload_root=root / "submissions",
        log_root=root / "logs",
        limits=limits or UploadLimits(),
        min_free_bytes=min_free_bytes,
    )
