"""Computes results anew from predictions that the tracking server keeps, where an admin asked for it (SCO-5)."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.domain.artifact_names import name_faults
from core.domain.benchmark import Benchmark
from core.domain.errors import LeadersboardError, NotFound, Unavailable
from core.domain.job import Job
from core.domain.limits import GIB, MIB, SMALL
from core.domain.sealed_result import SealedResult
from core.ports.sandbox import SandboxSpec
from core.wiring import Ports
from runner.dead_letters import DeadLetterWriter
from runner.job.score import FOLDER, LIST
from runner.scoring.scoring import BadPredictions, CanScore, Scored

TAKEN_SECONDS = 900.0
"""A runner that has not ended it by then has died: another one begins anew."""
PLACE = ".rescores"
MOST_BYTES = GIB
"""Of one file of predictions."""
MOST_LISTED_BYTES = 64 * MIB
CHANGED = "{path} of the predictions of job {job_id} was changed in MLflow."

log = structlog.get_logger(__name__)


class NotRescored(LeadersboardError):
    """Raised when a result cannot be computed anew; it stays as it was, and its text is for admins."""

    code = "not_rescored"


class Stopped(Exception):
    """Raised when this process ends meanwhile: another one begins anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescores:
    """Safe in every runner at once: the ledger gives each job to one of them, and writes over no newer result."""

    ports: Ports
    scoring: CanScore
    job_root: Path
    site: str
    stopping: threading.Event

    def one(self) -> None:
        """Scores one job again, if one waits. Raises Unavailable when the ledger is away, OSError."""
        job_id = self.ports.results.take_rescore(TAKEN_SECONDS)
        if job_id is None:
            return
        try:
            self._rescored(job_id)
        except (Stopped, Unavailable) as error:
            self.ports.results.end_rescore(job_id)
            self.ports.results.ask_rescore(job_id)  # due at once, for whoever comes next
            log.warning("not scored again yet", job_id=job_id, error=str(error)[:300])
            return
        except (BadPredictions, LeadersboardError) as error:
            DeadLetterWriter(dead_letters=self.ports.dead_letters).keep("rescore", error, self._job(job_id))
            log.warning("not scored again", job_id=job_id, error=str(error)[:300])
        self.ports.results.end_rescore(job_id)

    def _job(self, job_id: str) -> Job | None:
        try:
            return self.ports.job_status.get(job_id)
        except NotFound:
            return None

    def _rescored(self, job_id: str) -> None:
        recorded = self.ports.results.get(job_id)
        if recorded is None:
            raise NotFound("result", job_id)
        result = recorded.result
        benchmark = self.ports.benchmarks.get(result.benchmark)
        with self._folder(job_id) as folder:
            self._fetch(result, folder)
            found = self._score(result, benchmark, folder)
        new = result.rescored(found.scores.metrics, found.proof)
        if not self.ports.results.reseal(recorded.sha256, new):
            raise NotRescored(f"The result of job {job_id} was changed meanwhile. Ask again.")
        log.info("scored again", job_id=job_id)
        with suppress(LeadersboardError):  # else an admin sees that MLflow differs, and restores it
            self.ports.tracking.rewrite(new)

    def _score(self, result: SealedResult, benchmark: Benchmark, folder: Path) -> Scored:
        run = SandboxSpec(
            site=self.site, job_id=result.job_id, attempt=1, claim="again", user_id=result.user_id, entrypoint="",
            config_file="", limits=SMALL, image="", submission=folder, config=folder, role="rescore",
        )  # fmt: skip
        return self.scoring.score(run, benchmark, folder / FOLDER, folder, check=self._check)

    def _check(self) -> None:
        if self.stopping.is_set():
            raise Stopped

    @contextmanager
    def _folder(self, job_id: str) -> Iterator[Path]:
        """An empty folder that the engine sees; what a dead runner left in it is removed."""
        folder = self.job_root / PLACE / job_id
        shutil.rmtree(folder, ignore_errors=True)
        (folder / FOLDER).mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another one is at work in it
                folder.parent.rmdir()

    def _fetch(self, result: SealedResult, folder: Path) -> None:
        """Copies the predictions. Raises NotRescored if they are not those of the run, NotFound, Unavailable."""
        for sha256, path in self._listed(result):
            self._check()
            copy = folder / FOLDER / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            with copy.open("wb") as file:
                if self._read(result, f"{FOLDER}/{path}", file.write, MOST_BYTES) != sha256:
                    raise NotRescored(CHANGED.format(path=path, job_id=result.job_id))

    def _listed(self, result: SealedResult) -> list[tuple[str, str]]:
        """Hash and path of each file, from the list that was sealed by its own hash."""
        sealed = next((file.sha256 for file in result.files if file.path == LIST), None)
        wanted = result.proof.predictions_sha256 if result.proof else sealed
        if wanted is None:
            raise NotRescored(f"No predictions of job {result.job_id} were sealed. Post the job again.")
        lines: list[bytes] = []
        if self._read(result, LIST, lines.append, MOST_LISTED_BYTES) != wanted:
            raise NotRescored(CHANGED.format(path=LIST, job_id=result.job_id))
        pairs = [line.partition("  ") for line in b"".join(lines).decode(errors="replace").split("\n")[:-1]]
        if any(name_faults(path) for _sha256, _blanks, path in pairs):
            raise NotRescored(f"The predictions of job {result.job_id} have a name that is not taken.")
        return [(sha256, path) for sha256, _blanks, path in pairs]

    def _read(self, result: SealedResult, path: str, take: Callable[[bytes], object], most: int) -> str:
        """Hands over the bytes of a recorded file, at most `most`. Returns their SHA-256."""
        sha256 = hashlib.sha256()
        with self.ports.tracking.artifact(result.run_id, path) as content:
            for piece in content.pieces:
                most -= len(piece)
                if most < 0:
                    raise NotRescored(CHANGED.format(path=path, job_id=result.job_id))
                sha256.update(piece)
                take(piece)
        return sha256.hexdigest()
