"""Where a job's result comes from, as the API answers it."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from client.api.models import Answer

PARTS = {
    "code_sha256": "code",
    "config_sha256": "config, with overrides",
    "config_file_sha256": "config file",
    "seed": "seed",
    "data_sha256": "data",
    "image_digest": "image",
    "requirements": "installed packages",
    "device": "device",
    "runner_version": "runner",
    "scorer": "scorer",
    "labels_sha256": "labels",
    "predictions_sha256": "predictions",
    "result_sha256": "sealed result",
}
"""The single parts, with what each is in words."""
GROUPS = {"libraries": "libraries in the image", "versions": "engine and host", "limits": "limits of its class"}


class Provenance(Answer):
    """What has to be the same for a second run to give the same; what is missing has its reason in `unknown`."""

    job_id: str
    result_sha256: str | None = None
    code_sha256: str | None = None
    image_digest: str | None = None
    requirements: str | None = None
    device: str | None = None
    config: dict[str, str] = Field(default_factory=dict)
    overrides: dict[str, Any] = Field(default_factory=dict)
    config_sha256: str | None = None
    config_file_sha256: str | None = None
    seed: str | None = None
    data_sha256: str | None = None
    libraries: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    limits: dict[str, str] = Field(default_factory=dict)
    runner_version: str | None = None
    scorer: str | None = None
    labels_sha256: str | None = None
    predictions_sha256: str | None = None
    unknown: dict[str, str] = Field(default_factory=dict)

    @property
    def parts(self) -> Iterator[tuple[str, str]]:
        """The single parts that are known: what it is, and its value."""
        found = ((words, getattr(self, name)) for name, words in PARTS.items())
        return ((words, value) for words, value in found if value)

    @property
    def groups(self) -> Iterator[tuple[str, dict[str, str]]]:
        """The parts with several values, of which any is known."""
        found = ((words, getattr(self, name)) for name, words in GROUPS.items())
        return ((words, values) for words, values in found if values)

    @property
    def gaps(self) -> Iterator[tuple[str, str]]:
        """What is missing in words, and why."""
        words = {**PARTS, **GROUPS, "all": "everything else"}
        return ((words.get(name, name), reason) for name, reason in self.unknown.items())
