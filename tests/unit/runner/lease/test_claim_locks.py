"""Which claims living processes hold: told by locks, and by nothing where there are none."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.domain.job import Claim
from runner.lease.claim_locks import FOLDER, ClaimLocks
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.unit

HOLDER = """
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from runner.lease.claim_locks import ClaimLocks
claim = SimpleNamespace(job_id=sys.argv[2], mark=sys.argv[3])
stack = ExitStack()
stack.enter_context(ClaimLocks(Path(sys.argv[1]), "here").holding(claim))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    return TwinRunner(tmp_path / "bench", ProcessEngine(tmp_path / "engine")).claim(GOOD)


def test_a_killed_process_is_told_once(tmp_path: Path, claim: Claim) -> None:
    """As soon as the kernel has ended it, and not while it lives; a host that shares the folder says nothing of it."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path), claim.job_id, claim.mark]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        here, elsewhere = ClaimLocks(tmp_path, "here"), ClaimLocks(tmp_path, "elsewhere")
        assert list(here.dead()) == []
        holder.kill()
        holder.wait()
        assert list(elsewhere.dead()) == []
        assert list(here.dead()) == [(claim.job_id, claim.mark)]
        assert list(here.dead()) == []


def test_without_locks_leases_alone_count(tmp_path: Path, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared file system may know none: jobs run all the same, and nobody living is called dead."""

    def refuse(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    held = ClaimLocks(tmp_path, "here")
    with held.holding(claim):
        assert list(held.dead()) == []
    assert list((tmp_path / FOLDER).iterdir()) == []
