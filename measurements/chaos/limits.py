"""Two settings for concurrent runners, and the outcome of a run that was launched with each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from core.domain.job import JobState
from core.domain.limits import MIB, SMALL
from core.domain.verdict import FailureReason
from runner.recovery.overdue import OVERDUE_SECONDS
from tests.twin_runner import GOOD

CLASS = "differing"
STRICT_SECONDS, LENIENT_SECONDS = 8, 90
LENIENT_RUN_SECONDS = STRICT_SECONDS + OVERDUE_SECONDS + 4
"""By then a runner that applies the strict settings to a run launched with the lenient ones has ended it."""
STRICT_LINES, LENIENT_LINES = 150, 5_000
MANY_LINES = 400
STRICT_MIB, LENIENT_MIB = 24, 48
"""The size of /dev/shm, from which a program sees and prints with which settings it was launched."""
ANYWHERE = SMALL.model_copy(update={"timeout_seconds": LENIENT_SECONDS})
Deserved = tuple[JobState, FailureReason | None, str]
"""Expected state, failure reason, and a part of the error message."""

TELL = f"""
import os
room = os.statvfs("/dev/shm")
told = room.f_blocks * room.f_frsize // {MIB}
print("launched with", told, flush=True)
"""
LENGTHY = f"time.sleep(600 if told == {STRICT_MIB} else {LENIENT_RUN_SECONDS})\n{GOOD}"
WORDY = f"for n in range({MANY_LINES}):\n    print('more', n, flush=True)\n{GOOD}"


def _settings(*, seconds: int, lines: int, shm: int) -> dict[str, str]:
    changes = {"name": CLASS, "timeout_seconds": seconds, "shm_bytes": shm * MIB, "requirements": True}
    classes = [ANYWHERE, SMALL.model_copy(update=changes)]
    return {
        "RESOURCE_CLASSES": json.dumps([one.model_dump() for one in classes]), "MAX_LOG_LINES": str(lines),
        "MAX_LOG_BYTES": str(100 * lines), "PIP_INDEX_URL": "http://192.0.2.1:8/simple",
    }  # fmt: skip


STRICT = _settings(seconds=STRICT_SECONDS, lines=STRICT_LINES, shm=STRICT_MIB)
LENIENT = _settings(seconds=LENIENT_SECONDS, lines=LENIENT_LINES, shm=LENIENT_MIB)
DESERVED: Mapping[str, Deserved] = {
    "good": (JobState.COMPLETED, None, ""),
    "failing": (JobState.FAILED, FailureReason.EXIT, "exit code 3"),
    "cancelled": (JobState.CANCELLED, None, ""),
    "unfit": (JobState.FAILED, FailureReason.REQUIREMENTS, "requirements.txt"),
}
"""By kind of job, for either settings."""
STRICTLY: Mapping[str, Deserved] = {
    "lengthy": (JobState.FAILED, FailureReason.TIMEOUT, f"stopped after {STRICT_SECONDS} s"),
    "wordy": (JobState.FAILED, FailureReason.LOG_LIMIT, f"{STRICT_LINES} lines"),
}
"""With the strict settings; with the lenient ones these jobs are good."""


def deserved(kind: str, log: str) -> Deserved:
    """The expected outcome of a job, by its kind and the settings of its last launch, which its log shows."""
    if kind in DESERVED:
        return DESERVED[kind]
    told = re.findall(r"^launched with (\d+)$", log, re.MULTILINE)
    return STRICTLY[kind] if told[-1:] == [str(STRICT_MIB)] else DESERVED["good"]
