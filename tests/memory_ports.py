"""The ports of a process on twins in memory; a new port needs one line here."""

from __future__ import annotations

from typing import Any

from core.wiring import Ports
from tests.twins.accounts import MemoryAccounts
from tests.twins.audit import MemoryAudit
from tests.twins.dead_letters import MemoryDeadLetters
from tests.twins.entry_marks import MemoryEntryMarks
from tests.twins.job_queue import MemoryJobQueue
from tests.twins.job_status import MemoryJobStatus
from tests.twins.login_throttle import MemoryLoginThrottle
from tests.twins.results import MemoryResults
from tests.twins.runners import MemoryRunners
from tests.twins.sessions import MemorySessions
from tests.twins.tracking import MemoryTracking
from tests.twins.weights import MemoryWeights


def memory_ports(*, job_status: MemoryJobStatus | None = None, **parts: Any) -> Ports:
    """Twins for all ports but `parts`. Without `storage`, `trial_files` and `benchmarks`, which need folders: None."""
    ledger = job_status or MemoryJobStatus()
    twins: dict[str, Any] = {
        "storage": None,
        "trial_files": None,
        "benchmarks": None,
        "weights": MemoryWeights(),
        "job_status": ledger,
        "rate_limit": ledger,
        "results": MemoryResults(ledger),
        "entry_marks": MemoryEntryMarks(ledger),
        "job_queue": MemoryJobQueue(),
        "tracking": MemoryTracking(),
        "accounts": MemoryAccounts(),
        "sessions": MemorySessions(),
        "login_throttle": MemoryLoginThrottle(),
        "runners": MemoryRunners(),
        "dead_letters": MemoryDeadLetters(),
        "audit": MemoryAudit(),
    }
    return Ports(**(twins | parts))
