"""A runner that kills itself once, at the step DIE_AT: `dramatiq tests.docker.dying_runner:build`.

With DIE_OF=SIGSTOP it falls asleep there instead, until somebody wakes it. DIED then holds the process that did.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dramatiq.brokers.redis import RedisBroker

import runner.main
from core.adapters.files import folder_look
from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import Phase
from runner.canary import probe as probing
from runner.engine import standing_probe
from runner.engine.docker_engine import DockerEngine
from runner.engine.docker_sandbox import DockerSandbox
from runner.engine.output.stream import OutputStream
from runner.engine.output.volume import OutputVolume
from runner.job import run_job, score
from runner.job.attempt import Attempt
from runner.job.run_job import RunJob
from runner.job.watch import RunMonitor
from runner.job_log.journal import PositionFile
from runner.job_log.writer import LogWriter
from runner.requirements.installer import Installer
from runner.run_folder import RunFolder
from runner.scoring.docker_scorer import DockerScorer

STEPS: dict[str, tuple[Any, str, Callable[..., bool]]] = {
    "claimed": (RunJob, "__call__", lambda *_: True),
    "noted": (RunFolder, "begin", lambda *_: True),
    "launching": (DockerEngine, "launch", lambda *_: True),
    "volume created": (OutputVolume, "check_bound", lambda *_: True),
    "container created": (OutputStream, "attach", lambda *_: True),
    "started, not noted": (RunFolder, "start", lambda *_: True),
    "started": (Attempt, "note", lambda _self, phase=None, **_named: phase is Phase.RUNNING),
    "mid-log": (LogWriter, "output", lambda self, chunk, _stream: self.printed_bytes + len(chunk) > 50),
    "mid-line": (PositionFile, "write", lambda _self, intent: intent.offset > 150),
    "exited": (RunMonitor, "_ended", lambda *_: True),
    "reading": (RunFolder, "fresh_artifacts", lambda *_: True),
    "harvesting": (OutputVolume, "harvest", lambda *_: True),
    "read": (RunFolder, "harvest", lambda *_: True),
    "harvested": (DockerSandbox, "remove", lambda *_args, **_named: True),
    "recording": (MlflowTracking, "record", lambda *_args, **_named: True),
    "run created": (MlflowTracking, "_log", lambda *_: True),
    "metrics logged": (MlflowTracking, "_upload", lambda *_: True),
    "run closed": (run_job, "finish", lambda *_: True),
    "last line written": (RedisJobStatus, "finish", lambda *_: True),
    "final": (RunFolder, "remove", lambda *_: True),
}
"""Before which call, of a class or a module, and when; asked with the call's own arguments."""
SCORING: dict[str, tuple[Any, str, Callable[..., bool]]] = {
    "scorer being made": (DockerScorer, "_created", lambda *_: True),
    "scorer running": (DockerScorer, "_ended", lambda *_: True),
    "scored": (score, "_claimed", lambda *_args, **_named: True),
}
"""The same for benchmarks that the platform scores."""
BESIDE: dict[str, tuple[Any, str, Callable[..., bool]]] = {
    "GPU probe": (standing_probe._Opened, "ask", lambda *_: True),
    "probe being made": (OutputVolume, "check_bound", lambda *_: True),
    "probe": (probing, "_end_of", lambda *_: True),
    "probe's program": (probing, "_place", lambda *_: True),
    "way to the index": (Installer, "_await_proxy", lambda *_: True),
    "installer": (Installer, "_run", lambda *_: True),
    "folder proof": (folder_look.FolderLook, "_write_once", lambda look: proof_of(look).touch() is None),
}
"""The same where no run of a job is at stake, of modules, too; what is begun there goes with its process."""


def proof_of(look: folder_look.FolderLook) -> Path:
    """The file by which it proves that its folder can be written."""
    return look.path / f"{folder_look.PROOF}-{look.owner}"


def build() -> RedisBroker:
    """The real thing, with one trap in it."""
    step = os.environ["DIE_AT"]
    owner, name, due = (STEPS | SCORING | BESIDE)[step]
    _set_trap(owner, name, due, Path(os.environ["DIED"]), of_a_probe=step in BESIDE)
    return runner.main.build()


def _set_trap(owner: Any, name: str, due: Callable[..., bool], died: Path, *, of_a_probe: bool) -> None:
    original = getattr(owner, name)

    def trapped(*args: Any, **named: Any) -> Any:
        others = threading.current_thread().name == "canary" and not of_a_probe  # it takes the same steps, for no job
        if not others and not died.exists() and due(*args, **named):
            died.write_text(str(os.getpid()))
            # to this very thread: a stop that another thread takes lets this one run on for a while
            signal.pthread_kill(threading.get_ident(), signal.Signals[os.environ.get("DIE_OF", "SIGKILL")])
        return original(*args, **named)

    setattr(owner, name, trapped)
