"""Examples of answers to admins."""

from __future__ import annotations

from typing import Any

SINCE = "2026-03-01T08:00:00Z"
JOB = "9a1b2c3d4e5f60718293a4b5c6d7e8f9"
HOST = "2f4a9c01d7e8b3"
LETTER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
RUNNER_NAME = "8d1f0c2e7a11:7"

_CLASS = {"name": "small", "cpus": 2.0, "memory_bytes": 4294967296, "gpus": "auto", "timeout_seconds": 1800}
_RUNNER: dict[str, Any] = {
    "name": RUNNER_NAME, "host": HOST, "version": "0.1.0", "since": SINCE, "state": "ready", "reason": None,
    "classes": [_CLASS], "jobs": [JOB], "clock_skew_seconds": 0.002, "silent_seconds": 1.2,
    "silent": False, "wish": "run",
}  # fmt: skip
_SANDBOX: dict[str, Any] = {
    "name": f"job-{JOB}-1-5b1d7c1f", "job_id": JOB, "user_id": "ann", "attempt": 1, "image": "sha256:5b1d7c1f",
    "status": "running", "age_seconds": 41.5, "cpu_percent": 187.0, "memory_bytes": 812000000,
    "memory_limit_bytes": 4294967296, "pids": 14, "gpu": None, "runtime": "runc",
    "security": ["user 60001:60001", "network none", "read-only root", "capabilities dropped: ALL", "seccomp own"],
}  # fmt: skip
_DISK = {"name": "logs", "free_bytes": 81000000000, "total_bytes": 200000000000, "fault": None}
_OLD = {
    "part": "Engine", "version": "28.5.2", "floor": "29.5.1", "why": "before it, copies could be raced",
}  # fmt: skip
_NOTICE: dict[str, Any] = {
    "kind": "runner", "host": HOST, "takes_jobs": False, "part": None, "version": None, "floor": None,
    "text": f"Runner {RUNNER_NAME} takes no jobs: logs (/shared/logs): Read-only file system",
    "advice": "Mend the storage; it goes on by itself.",
}  # fmt: skip
_OLD_NOTICE: dict[str, Any] = {
    "kind": "old_engine", "host": HOST, "takes_jobs": True, "part": "Engine", "version": "28.5.2", "floor": "29.5.1",
    "text": "Engine 28.5.2 is older than 29.5.1.", "advice": "Update this host's engine.",
}  # fmt: skip
_HOST: dict[str, Any] = {
    "host": HOST, "engine": {"Engine": "28.5.2", "runc": "1.3.6", "kernel": "6.18"}, "warnings": [], "old": [_OLD],
    "old_engine_allowed": True, "gpus": [],
    "gpus_in_use": [], "gpus_quarantined": [], "sandboxes": [_SANDBOX], "disks": [_DISK], "canary": None,
    "silent_seconds": 3.4, "silent": False,
}  # fmt: skip
_QUEUE = {"resource_class": "small", "waiting": 3, "running": 1, "runners_ready": 1}
_LETTER: dict[str, Any] = {
    "letter_id": LETTER, "step": "run job", "error": "OSError", "message": "[Errno 28] No space left on device",
    "frames": ["work/runner/run_job.py:90 in _run"], "process": RUNNER_NAME, "job_id": JOB, "user_id": "ann",
    "attempt": 3, "count": 1, "first_at": SINCE, "last_at": SINCE,
}  # fmt: skip

_AUDIT: dict[str, Any] = {
    "entry_id": "1772352000000-0", "at": SINCE, "actor": "root", "method": "password", "action": "job.cancel",
    "target_kind": "job", "target": JOB, "owner": "ann", "address": "192.0.2.7",
    "request_id": "0f8fad5bd9cb469fa16570867728950e", "details": {}, "outcome": "done", "status": 202,
}  # fmt: skip

_FINDING: dict[str, Any] = {
    "path": "public/weave/ground_truth/dot/000_mask.png", "line": None, "is_note": False,
    "rule": "has 40 x 50 pixels, and its picture 64 x 96; make it as large, by nearest neighbour",
}  # fmt: skip
_CHECK: dict[str, Any] = {
    "name": "surfaces", "condition": "faulty", "findings": [_FINDING], "more": 0, "pictures": 184, "unseen": "",
}  # fmt: skip
_OLD_RUN = {"run_id": "c0ffee11c0ffee11c0ffee11c0ffee11", "experiment_id": "1", "job_id": JOB}

SCHEMAS: dict[str, Any] = {
    "ClassFigures": _CLASS,
    "RunnerView": _RUNNER,
    "SandboxFigures": _SANDBOX,
    "DiskFigures": _DISK,
    "OldPart": _OLD,
    "NoticeView": _NOTICE,
    "HostView": _HOST,
    "RunnerList": {"runners": [_RUNNER], "hosts": [_HOST]},
    "RunnerDetail": {"runners": [_RUNNER], "host": _HOST},
    "QueueView": _QUEUE,
    "Overview": {
        "queues": [_QUEUE], "runners": 1, "runners_ready": 1, "sandboxes": 1, "dead_letters": 0, "disks": [_DISK],
        "notices": [_NOTICE, _OLD_NOTICE], "mended": {"doorbell": 3, "lease": 1}, "clock_skew_seconds": 0.004,
    },
    "DeadLetterView": _LETTER,
    "DeadLetterList": {"items": [_LETTER], "total": 1},
    "OldRunView": _OLD_RUN,
    "RetentionView": {
        "days": 90, "before": "2025-12-01T08:00:00Z", "jobs": [JOB], "submissions": [], "logs": [JOB],
        "runs": [_OLD_RUN], "trimmed": 0,
    },
    "AuditEntryView": _AUDIT,
    "AuditList": {"items": [_AUDIT], "next_cursor": "1772352000000-0", "displaced": 0, "kept_days": 90},
    "PinList": {"job_ids": [JOB]},
    "FindingView": _FINDING,
    "BenchmarkCheckView": _CHECK,
    "BenchmarkCheckList": {"items": [_CHECK]},
}  # fmt: skip
