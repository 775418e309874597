"""The files of a run beside its container: enough for another runner to go on from any of its steps.

    config/       mounted read-only into the run
    settings      limits, log caps, image and grace at its launch: it is judged by these, whatever is set by then
    begun         when the run was about to be started, by the machine's boot clock, which never jumps
    started       when its program had been started, by the same clock; empty if an older version wrote it
    stop          why the platform ends it, written before it does
    ended         how its program ended, written before its container is removed
    artifacts.*   the files that it left; each reader has a folder of its own
    harvested     everything that is judged, and which reader's files count; from here on the engine is not needed
    scored        what the platform computed of its predictions, if it scores them
    position      how far its log has come
    launch, provenance    where its result comes from
Each is whole or absent: written under a temporary name and renamed into place.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from core.domain.job import Job
from core.domain.verdict import RunRecord, Stop
from runner.launch_settings import LaunchSettings
from runner.scoring.scoring import Scored

_SCORED: TypeAdapter[Scored] = TypeAdapter(Scored)
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK})


class _Stored(BaseModel):
    """A record as JSON. Its bytes come from the run and may be anything."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    record: RunRecord


class _Harvested(_Stored):
    """The record that was read, with the name of the folder of its files."""

    artifacts: str | None = "artifacts"


def run_name(job: Job) -> str:
    """The name of the folder of the job's present run."""
    return f"{job.job_id}-{job.sandbox}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """Shared with the engine, at the same path."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> RunFolder:
        """Creates an empty folder, and removes what an earlier run of this name left."""
        shutil.rmtree(path, ignore_errors=True)
        (path / "config").mkdir(parents=True)
        return cls(path=path)

    @property
    def config(self) -> Path:
        return self.path / "config"

    @property
    def artifacts(self) -> Path | None:
        """The folder of the run's files; None before all were read, and when they are not wanted."""
        text = self._read("harvested")
        name = _Harvested.model_validate_json(text).artifacts if text else None
        return self.path / name if name else None

    @property
    def position(self) -> Path:
        return self.path / "position"

    @property
    def claim(self) -> str:
        """The mark of the claim that launched the run."""
        return self.path.name.rpartition("-")[2]

    @property
    def can_be_taken_over(self) -> bool:
        """False for a run that never began, and for one of which a restart of the machine left nothing."""
        return self.elapsed_seconds() is not None or self.harvested() is not None

    @property
    def went_with_the_machine(self) -> bool:
        """True if the machine was restarted after the run began and before it was harvested."""
        return self._read("begun") is not None and not self.can_be_taken_over

    def agree(self, settings: LaunchSettings) -> None:
        """Stores the settings by which the run is watched and judged. Call before anything of it exists."""
        self._write("settings", settings.text())

    @property
    def settings(self) -> LaunchSettings | None:
        """The settings at launch; None if an older version launched the run, which stored none."""
        text = self._read("settings")
        return LaunchSettings.read(text) if text else None

    def begin(self) -> None:
        """Notes the time before the run's container is made, for every runner that watches it."""
        self._write_time("begun")

    def start(self) -> None:
        """Notes that the container was started, and when: if the engine does not know it later, the run is lost."""
        self._write_time("started")

    @property
    def started(self) -> bool:
        return self._read("started") is not None or self.ended() is not None

    def elapsed_seconds(self) -> float | None:
        """Seconds since the run began; None if it did not, or the machine was restarted since."""
        return self._seconds_since("begun")

    def program_seconds(self) -> float | None:
        """Seconds since the program was started, as far as that was noted; else the same as elapsed_seconds."""
        since_start = self._seconds_since("started")
        return self.elapsed_seconds() if since_start is None else since_start

    def _write_time(self, name: str) -> None:
        self._write(name, f"{_boot_id()} {_boot_seconds()}".encode())

    def _seconds_since(self, name: str) -> float | None:
        boot, _blank, seconds = (self._read(name) or b"").decode().partition(" ")
        return _boot_seconds() - float(seconds) if boot == _boot_id() else None

    def stop(self, reason: Stop) -> None:
        """Notes why the run is ended; the first reason stays. Call before ending it: its end then has this reason."""
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

    @contextmanager
    def fresh_artifacts(self) -> Iterator[Path]:
        """Yields an empty folder for this reader's copy of the files; removed at the end unless `harvest` chose it."""
        fresh = self.path / f"artifacts.{secrets.token_hex(4)}"
        fresh.mkdir()
        try:
            yield fresh
        finally:
            if self.artifacts != fresh:
                shutil.rmtree(fresh, ignore_errors=True)

    def harvest(self, record: RunRecord, artifacts: Path | None) -> RunRecord:
        """Stores what was read, and `artifacts` as the folder of the run's files; None when they are not wanted.

        Of two readers the first wins. Returns the record that holds.
        """
        stored = _Harvested(record=record, artifacts=artifacts.name if artifacts else None)
        self._write("harvested", stored.model_dump_json().encode(), only_once=True)
        return self.harvested() or record

    def harvested(self) -> RunRecord | None:
        return self._record("harvested")

    def score(self, found: Scored) -> Scored:
        """Stores the scores of its predictions: a result that waits for the tracking server is not scored again.

        Of two scorings the first wins. Returns the one that holds.
        """
        self._write("scored", _SCORED.dump_json(found), only_once=True)
        return self.scored() or found

    def scored(self) -> Scored | None:
        text = self._read("scored")
        return _SCORED.validate_json(text) if text else None

    def keep(self, name: str, content: bytes) -> None:
        """Stores a note beside the run; of two writers the first wins."""
        self._write(name, content, only_once=True)

    def kept(self, name: str) -> bytes | None:
        """A note that was kept; None if there is none."""
        return self._read(name)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _record(self, name: str) -> RunRecord | None:
        text = self._read(name)
        return _Stored.model_validate_json(text).record if text else None

    def _write(self, name: str, content: bytes, *, only_once: bool = False) -> None:
        beside = self.path / f".{name}.{secrets.token_hex(4)}"  # two readers may write the same at once
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if only_once:
                _link(beside, self.path / name)
            else:
                beside.replace(self.path / name)
        finally:  # a full disk is not made fuller with each try
            beside.unlink(missing_ok=True)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None


def _link(beside: Path, path: Path) -> None:
    """Gives the file its name unless that is taken. On storage without links the last writer wins."""
    try:
        os.link(beside, path)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        beside.replace(path)


def _boot_seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
