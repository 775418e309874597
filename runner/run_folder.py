"""What of a run is on disk beside its container: enough for another runner to go on from any of its steps.

    config/       mounted read-only into the run
    settings      what it was launched with: limits, log caps, image, grace; judged by these whatever is set by then
    begun         when the run was about to be started, by the machine's clock that never jumps
    started       its program had been started when this was written
    stop          why we ended it, written before we did
    ended         how its program ended, written before its container goes
    artifacts.*   the files that it left, in a folder of each reader's own
    harvested     everything that is judged, and whose files count; from here on the engine holds nothing of it
    position      how far its log has come
Each is whole or not there: written beside and renamed into place.
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

from pydantic import BaseModel, ConfigDict

from core.domain.job import Job
from core.domain.verdict import RunRecord, Stop
from runner.launch_settings import LaunchSettings

NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK})


class _Stored(BaseModel):
    """A record as JSON; the bytes in it are the run's and may be anything."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    record: RunRecord


class _Harvested(_Stored):
    """What was read, with the name of the folder of its files."""

    artifacts: str | None = "artifacts"


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
    def artifacts(self) -> Path | None:
        """The files of the run; None before they were all read, and where they were not wanted."""
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
        """Not a run that was never started, nor one of which the machine's restart left nothing."""
        return self.elapsed_seconds() is not None or self.harvested() is not None

    @property
    def went_with_the_machine(self) -> bool:
        """It had begun when the machine was started anew, and nothing of it had been harvested."""
        return self._read("begun") is not None and not self.can_be_taken_over

    def agree(self, settings: LaunchSettings) -> None:
        """Before anything of the run exists: by these it is watched and judged to its end."""
        self._write("settings", settings.text())

    @property
    def settings(self) -> LaunchSettings | None:
        """What the run was launched with; None for one of an older version, which kept nothing."""
        text = self._read("settings")
        return LaunchSettings.read(text) if text else None

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

    @contextmanager
    def fresh_artifacts(self) -> Iterator[Path]:
        """An empty folder of this reader's own for the files of a run; it goes unless it became the run's."""
        fresh = self.path / f"artifacts.{secrets.token_hex(4)}"
        fresh.mkdir()
        try:
            yield fresh
        finally:
            if self.artifacts != fresh:
                shutil.rmtree(fresh, ignore_errors=True)

    def harvest(self, record: RunRecord, artifacts: Path | None) -> RunRecord:
        """Everything was read: `artifacts` are the run's from now on, None where they are not wanted.

        Of two readers the first has the last word; this is what holds.
        """
        stored = _Harvested(record=record, artifacts=artifacts.name if artifacts else None)
        self._write("harvested", stored.model_dump_json().encode(), only_once=True)
        return self.harvested() or record

    def harvested(self) -> RunRecord | None:
        return self._record("harvested")

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
    """Under its name, unless somebody has that; where the storage knows no links, the last one has it."""
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
