"""What of a run is on disk beside its container: enough for another runner to go on from any of its steps.

    config/       mounted read-only into the run
    begun         when the run was about to be started, by the machine's clock that never jumps
    started       its program had been started when this was written
    stop          why we ended it, written before we did
    ended         how its program ended, written before its container goes
    artifacts/    the files that it left; each reader puts them into a folder of its own first
    harvested     everything that is judged; from here on the engine holds nothing of it
    position      how far its log has come
Each is whole or not there: written beside and renamed into place.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.domain.job import Job
from core.domain.verdict import RunRecord, Stop


class _Stored(BaseModel):
    """A record as JSON; the bytes in it are the run's and may be anything."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    record: RunRecord


def run_name(job: Job) -> str:
    """Of the folder, as long as the run is this one."""
    return f"{job.job_id}-{job.sandbox}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """Shared with the engine, at the same path."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> RunFolder:
        """A new one; nothing of an earlier run of this name stays."""
        shutil.rmtree(path, ignore_errors=True)
        (path / "config").mkdir(parents=True)
        return cls(path=path)

    @property
    def config(self) -> Path:
        return self.path / "config"

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def position(self) -> Path:
        return self.path / "position"

    @property
    def claim(self) -> str:
        """The mark of the claim that launched the run."""
        return self.path.name.rpartition("-")[2]

    @property
    def can_be_taken_over(self) -> bool:
        """Not a run that was never started, nor one of which the machine's restart left nothing."""
        return self.elapsed_seconds() is not None or self.harvested() is not None

    @property
    def went_with_the_machine(self) -> bool:
        """It had begun when the machine was started anew, and nothing of it had been harvested."""
        return self._read("begun") is not None and not self.can_be_taken_over

    def begin(self) -> None:
        """The run's time counts from here, whoever watches it."""
        self._write("begun", f"{_boot_id()} {_boot_seconds()}".encode())

    def start(self) -> None:
        """From here on a run that the engine does not know is one that it has lost."""
        self._write("started", b"")

    @property
    def started(self) -> bool:
        return self._read("started") is not None or self.ended() is not None

    def elapsed_seconds(self) -> float | None:
        """Since the run began; None when it did not, or the machine was started anew since."""
        text = self._read("begun")
        boot, _blank, seconds = (text or b"").decode().partition(" ")
        return _boot_seconds() - float(seconds) if boot == _boot_id() else None

    def stop(self, reason: Stop) -> None:
        """Written first: an end that we bring about is never taken for the run's own."""
        if self.stopped is None:
            self._write("stop", reason.encode())

    @property
    def stopped(self) -> Stop | None:
        reason = self._read("stop")
        return Stop(reason.decode()) if reason else None

    def end(self, record: RunRecord) -> None:
        self._write("ended", _Stored(record=record).model_dump_json().encode())

    def ended(self) -> RunRecord | None:
        return self._record("ended")

    def fresh_artifacts(self) -> Path:
        """An empty folder for the files of a run; what another reader had come to goes, whole and at once."""
        for left in self.path.glob("artifacts.*"):
            gone = self.path / f".{left.name}.{secrets.token_hex(4)}"
            with suppress(FileNotFoundError):  # it has its name by now
                left.replace(gone)
            shutil.rmtree(gone, ignore_errors=True)
        fresh = self.path / f"artifacts.{secrets.token_hex(4)}"
        fresh.mkdir()
        return fresh

    def harvest(self, record: RunRecord, artifacts: Path | None) -> None:
        """Everything was read: `artifacts` are the run's from now on. None where they are not wanted."""
        if artifacts is not None:
            self._name(artifacts)
        self._write("harvested", _Stored(record=record).model_dump_json().encode())

    def _name(self, artifacts: Path) -> None:
        try:
            artifacts.replace(self.artifacts)
        except FileNotFoundError:  # another reader has begun
            raise
        except OSError:  # those of a reader that was cut off before its last word
            shutil.rmtree(self.artifacts)
            artifacts.replace(self.artifacts)

    def harvested(self) -> RunRecord | None:
        return self._record("harvested")

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _record(self, name: str) -> RunRecord | None:
        text = self._read(name)
        return _Stored.model_validate_json(text).record if text else None

    def _write(self, name: str, content: bytes) -> None:
        beside = self.path / f".{name}.{secrets.token_hex(4)}"  # two readers may write the same at once
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path / name)
        except OSError:  # a full disk is not made fuller with each try
            beside.unlink(missing_ok=True)
            raise

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None


def _boot_seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
