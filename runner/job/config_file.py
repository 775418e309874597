"""The config that a run was given: its submission's config file with the job's overrides applied."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.adapters.files.config_document import NotRead, config_document
from core.domain.applied_config import FILE, AppliedConfig, applied
from core.domain.errors import NotFound, Unavailable
from core.domain.submission import Submission
from runner.job.attempt import Attempt

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenConfig:
    """The config, and why its file is not in it: then it is the overrides alone. None if the file is in it."""

    config: AppliedConfig
    unread: str | None = None


def given_config(attempt: Attempt, submission: Submission) -> GivenConfig:
    """The config of the attempt's job. Never raises for the sake of the file."""
    overrides = attempt.job.overrides
    try:
        path = attempt.context.ports.storage.submission_files(submission.submission_id) / submission.config_file
        return GivenConfig(config=applied(config_document(path) if path.exists() else {}, overrides))
    except (NotRead, NotFound, Unavailable, OSError) as error:
        return GivenConfig(config=applied({}, overrides), unread=str(error))


def add_config(attempt: Attempt, artifacts: Path, given: GivenConfig) -> None:
    """Adds the config as a file beside the run's own.

    It is renamed into place, so it is always whole. A disk that does not take it costs no run.
    """
    target = artifacts / FILE
    beside = artifacts.parent / f"config.{secrets.token_hex(4)}"
    try:
        beside.write_bytes(given.config.file)
        target.parent.mkdir(exist_ok=True)
        beside.replace(target)
    except OSError as error:
        log.warning("config not kept as a file", job_id=attempt.job.job_id, error=str(error))
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def say_config(attempt: Attempt, given: GivenConfig) -> None:
    """Says in the log what of the config is no param."""
    if given.unread:
        attempt.job_log.say_once(f"Of the config only the job's overrides are recorded: {given.unread}.")
    for note in given.config.notes:
        attempt.job_log.say_once(note)
