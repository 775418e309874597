"""Notes where a run's result comes from, at its launch and at its end. What cannot be read has a reason instead."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import structlog
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from core import __version__
from core.domain.errors import LeadersboardError, NotFound, Unavailable
from core.domain.image_packages import ImagePackages
from core.domain.provenance import LIBRARIES, LONGEST, MOST_VERSIONS, Provenance
from core.domain.report_notes import cut, on_one_line
from core.domain.submission import Submission
from core.domain.verdict import RunRecord
from runner.data_manifest import FOLDER, DataManifest, NoManifest
from runner.job.attempt import Attempt
from runner.job.config_file import GivenConfig

LAUNCH, FOUND = "launch", "provenance"
"""The names of the notes in a run's folder."""
DRIVER = Path("/proc/driver/nvidia/version")
NOT_AT_LAUNCH = "it was not noted when the run was launched"
_DRIVER = re.compile(r"NVRM version:.*?\s([0-9]+\.[0-9.]+)\s")
_PROVENANCE: TypeAdapter[Provenance] = TypeAdapter(Provenance)

log = structlog.get_logger(__name__)


class LaunchNotes(BaseModel):
    """What holds when a run is launched. An older version of the runner ignores fields that a newer one added."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    runner_version: str | None = None
    data_seen: str | None = None
    versions: Mapping[str, str] = {}
    unknown: Mapping[str, str] = {}


def note_launch(attempt: Attempt, data: Path, *, gpu: str | None) -> None:
    """Keeps the notes in the run's folder. A disk that does not take them costs no run."""
    unknown: dict[str, str] = {}
    versions: Mapping[str, str] = {}
    try:
        versions = _lines(attempt.context.engine.versions())
    except LeadersboardError as error:
        unknown["versions"] = str(error)
    if gpu and (driver := _driver(DRIVER)):
        versions = {**versions, "driver": driver}
    seen = None
    try:
        seen = _manifest(attempt, data).seen() if not attempt.job.trial else None
    except NoManifest as error:
        unknown["data_sha256"] = str(error)
    notes = LaunchNotes(runner_version=__version__, data_seen=seen, versions=versions, unknown=unknown)
    try:
        attempt.folder.keep(LAUNCH, notes.model_dump_json().encode())
    except OSError as error:
        log.warning("launch not noted", job_id=attempt.job.job_id, error=str(error))


def is_noted(attempt: Attempt) -> bool:
    """Whether a recorder of this run has noted where its result comes from."""
    return attempt.folder.kept(FOUND) is not None


def provenance_of(attempt: Attempt, given: GivenConfig, record: RunRecord, submission: Submission) -> Provenance:
    """The same for every runner that records this run: the first one's stays in the run's folder.

    Raises what `Attempt.check` raises; the benchmark's data may have to be read.
    """
    if kept := attempt.folder.kept(FOUND):
        try:
            return _PROVENANCE.validate_json(kept)
        except ValidationError as error:
            log.warning("provenance not readable", job_id=attempt.job.job_id, error=str(error)[:200])
    found = _found(attempt, given, record, submission)
    try:
        attempt.folder.keep(FOUND, _PROVENANCE.dump_json(found))
    except OSError as error:
        log.warning("provenance not kept", job_id=attempt.job.job_id, error=str(error))
    return found


def _found(attempt: Attempt, given: GivenConfig, record: RunRecord, submission: Submission) -> Provenance:
    notes = _notes(attempt)
    unknown = dict(notes.unknown)
    found = Provenance(
        config_sha256=given.config.sha256,
        config_file_sha256=_config_file(attempt, submission, unknown),
        seed=given.config.seed and _line(given.config.seed),
        data_sha256=_data(attempt, notes, unknown),
        libraries=_libraries(attempt, record, unknown),
        versions=notes.versions,
        limits=_limits(attempt),
        runner_version=notes.runner_version,
    )
    if given.unread:
        unknown["config_file"] = f"of the config only the job's overrides are noted: {given.unread}"
    if found.seed is None:
        unknown["seed"] = "the config names none"
    if found.runner_version is None:
        unknown.setdefault("runner_version", NOT_AT_LAUNCH)
        unknown.setdefault("versions", NOT_AT_LAUNCH)
    return replace(found, unknown=_lines(unknown))


def _notes(attempt: Attempt) -> LaunchNotes:
    text = attempt.folder.kept(LAUNCH)
    try:
        return LaunchNotes.model_validate_json(text) if text else LaunchNotes()
    except ValidationError:
        return LaunchNotes()


def _config_file(attempt: Attempt, submission: Submission, unknown: dict[str, str]) -> str | None:
    try:
        folder = attempt.context.ports.storage.submission_files(submission.submission_id)
        with (folder / submission.config_file).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        unknown["config_file_sha256"] = "the submission has no config file"
    except (NotFound, Unavailable, OSError) as error:
        unknown["config_file_sha256"] = error.strerror or "" if isinstance(error, OSError) else str(error)
    return None


def _data(attempt: Attempt, notes: LaunchNotes, unknown: dict[str, str]) -> str | None:
    if notes.data_seen is None:
        unknown.setdefault("data_sha256", NOT_AT_LAUNCH)
        return None
    try:
        data = attempt.context.ports.benchmarks.data_folder(attempt.job.benchmark)
    except (LeadersboardError, OSError):
        unknown["data_sha256"] = "the benchmark's data was not there any more when the run had ended"
        return None
    try:
        manifest = _manifest(attempt, data)
        return manifest.sha256(notes.data_seen, check=attempt.check, say=attempt.job_log.say_once)
    except NoManifest as error:
        unknown["data_sha256"] = str(error)
    return None


def _manifest(attempt: Attempt, data: Path) -> DataManifest:
    return DataManifest(data=data, known=attempt.context.job_root / FOLDER / attempt.job.benchmark)


def _libraries(attempt: Attempt, record: RunRecord, unknown: dict[str, str]) -> Mapping[str, str]:
    """Of the run's own image, which is asked once; another one may have its name by now."""
    try:
        packages = attempt.context.image_packages(attempt.known.image)
    except LeadersboardError as error:
        unknown["libraries"] = str(error)
        return {}
    if packages is None:
        unknown["libraries"] = "this runner does not ask images for their packages"
    elif packages.image_id != record.image_digest:
        unknown["libraries"] = "another image has the name of the run's image by now"
    else:
        return _versions_in(packages)
    return {}


def _versions_in(packages: ImagePackages) -> Mapping[str, str]:
    installed = {canonicalize_name(package.name): package.version for package in packages.packages}
    python = packages.markers.get("python_full_version")
    named = {name: installed[canonicalize_name(name)] for name in LIBRARIES if canonicalize_name(name) in installed}
    return _lines(({"python": python} if python else {}) | named, most=len(LIBRARIES) + 1)


def _limits(attempt: Attempt) -> Mapping[str, str]:
    limits = attempt.limits.model_dump(mode="json", exclude={"name", "image", "requirements"})
    return {"class": attempt.limits.name, **{name: str(value) for name, value in limits.items()}}


def _driver(path: Path) -> str | None:
    """The version of the GPU's driver, of which this machine's kernel tells; None without it."""
    try:
        with path.open("rb") as file:
            found = _DRIVER.search(file.read(4096).decode(errors="replace"))
    except OSError:
        return None
    return found[1] if found else None


def _lines(found: Mapping[str, str], *, most: int = MOST_VERSIONS) -> dict[str, str]:
    """At most so many of the texts, each safe to show and short."""
    return {_line(name): _line(value) for name, value in list(found.items())[:most]}


def _line(text: str) -> str:
    return cut(on_one_line(text[:LONGEST]), LONGEST)
