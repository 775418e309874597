"""Answers about where results come from."""

from __future__ import annotations

from typing import Any

from gateway.schemas.jobs import Answer


class ProvenanceView(Answer):
    """Where a job's result comes from, sealed with it. What is null or empty has its reason in `unknown`."""

    job_id: str
    result_sha256: str | None
    """Of the sealed result that this is a part of."""
    code_sha256: str | None
    """Of the submission's files: their sorted paths and contents."""
    image_digest: str | None
    requirements: str | None
    """The key of the packages that were installed from requirements.txt: equal for equal lines, image and index."""
    device: str | None
    config: dict[str, str]
    """The config file with the job's overrides applied, flattened; at most 100 values, each cut to 500 characters."""
    overrides: dict[str, Any]
    config_sha256: str | None
    """Of the whole config with its overrides: equal for equal configs."""
    config_file_sha256: str | None
    """Of the config file as it was uploaded."""
    seed: str | None
    """As the config names one."""
    data_sha256: str | None
    """Of the sorted lines `<SHA-256>  <path>` of all files of the benchmark's data, as the run saw them."""
    libraries: dict[str, str]
    """Versions in the image, `python` among them."""
    versions: dict[str, str]
    """Of the engine, its parts, the kernel and the GPU's driver, when the run was launched."""
    limits: dict[str, str]
    """Of the run's class, when it was launched; sizes in bytes, times in seconds."""
    runner_version: str | None
    scorer: str | None
    """The scorer and its version, where the platform computed the scores."""
    labels_sha256: str | None
    predictions_sha256: str | None
    unknown: dict[str, str]
    """Why something is missing, by its name; `all` if nothing was noted."""
