"""What the canary's programs find where all walls and limits hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.domain.canary import CanaryReport, CanaryRow
from core.domain.limits import SMALL
from runner.canary.probe import lower

LOW = lower(SMALL)
HOLDING: dict[str, Any] = {
    "network": ["lo"], "way out": "ENETUNREACH",
    "read-only": dict.fromkeys(["/", "/etc", "/submission", "/config"], "EROFS"),
    "user": [60007] * 5, "capabilities": ["0" * 16], "filter": ["2", "1"], "system calls": {}, "hidden": [],
    "locked": {"/proc/sys/vm/drop_caches": "EACCES"},
    "cgroup": {"memory": "4294967296", "swap": "4294967296", "pids": "512", "cpu": "200000"},
    "ulimits": [SMALL.output_bytes, 4096, 0],
    "sizes": {"/out": [SMALL.output_bytes, 20_000], "/tmp": [SMALL.tmp_bytes, 100_000],
              "/job": [SMALL.job_bytes, 100_000], "/dev/shm": [2**30, 77]},
    "mounts": ["/", "/config", "/job", "/out", "/proc", "/submission", "/tmp"], "devices": ["null", "zero"],
    "environment": ["HOME", "PATH"], "neighbours": [2, "docker-init"], "shared memory": [],
    "identity": ["job", "/dev/null", "/job"], "oom score": 500,
    "writable": dict.fromkeys(["/tmp", "/out", "/dev/shm", "/job"], "written"),
    "programs": {"/tmp": "loaded", "/job": "loaded"}, "python": {"version": [3, 13], "lacks": []},
    "workers": "answered",
}  # fmt: skip
STOPPED: dict[str, Any] = {
    "cpu": {"used": 0.31, "seconds": 0.6, "periods": 6},
    "bytes in /out": LOW.output_bytes, "bytes in /tmp": LOW.tmp_bytes, "bytes in /dev/shm": LOW.shm_bytes,
    "bytes in /job": LOW.job_bytes,
    "files in /out": 63, "largest file": "EFBIG", "descriptors": 4093, "threads": 126,
    "processes": 126, "memory": "ended",
}  # fmt: skip


def row(*, ok: bool, check: str = "network") -> CanaryRow:
    return CanaryRow(check=check, resource_class="small", expected="lo", found="lo eth0", ok=ok)


def report_of(*found: CanaryRow) -> CanaryReport:
    return CanaryReport(at=datetime.now(UTC), seconds=1.0, rows=found)
