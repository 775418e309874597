"""The ledger under test: the twin in memory, then Redis."""

from __future__ import annotations

import pytest

from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.contract.conftest import AnyLedger


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> tuple[JobStatusPort, RateLimitPort]:
    return any_ledger.jobs, any_ledger.rates


@pytest.fixture
def jobs(ledger: tuple[JobStatusPort, RateLimitPort]) -> JobStatusPort:
    return ledger[0]
