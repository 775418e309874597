"""What a platform answers to the command line."""

from typing import Any

import httpx2

from tests.unit.client.fake_log import FakeLog
from tests.unit.client.fake_platform import SUBMISSION, Platform, job

BOARD = {
    "benchmark": "synthetic",
    "metric": "image_auc",
    "total": 1,
    "items": [
        {
            "rank": 1,
            "user_id": "alice",
            "job_id": "j1",
            "submission_id": "s1",
            "method": "padim\x1b[2J",
            "value": 0.98765,
        }
        | {"mine": True, "finished_at": "2026-01-02T03:04:05Z"}
    ],
}
RESULTS = {"job_id": "j1", "metrics": {"image_auc": 0.98765}, "params": {"method": "padim"}}
RESULTS |= {"mlflow_ui_url": "http://m/#/x", "artifacts": [{"path": "roc.png", "size_bytes": 1500}]}
LOG = FakeLog("first\nsec\x1b[31mond\nlast", own=6, size=7)


def accepts(platform: Platform, *states: dict[str, Any] | httpx2.Response | Exception) -> None:
    """Let the platform take a submission and its job go through these states."""
    platform.answers("POST", "/submissions", httpx2.Response(201, json=SUBMISSION))
    platform.answers("POST", "/jobs", httpx2.Response(202, json=job()))
    platform.answers("GET", "/jobs/j1/results", RESULTS)
    platform.answers("GET", "/leaderboard", BOARD)
    LOG.serve(platform, *states)
