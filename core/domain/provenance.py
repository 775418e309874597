"""Where a result comes from: what has to be the same for a second run to give the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "leadersboard.provenance."
"""Of the tags at the tracking server."""
LIBRARIES = (
    "anomalib", "catboost", "diffusers", "faiss-cpu", "jax", "keras", "kornia", "lightgbm", "lightning", "numpy",
    "onnxruntime", "opencv-python-headless", "openvino", "pandas", "pillow", "pytorch-lightning", "scikit-image",
    "scikit-learn", "scipy", "tensorflow", "timm", "torch", "torchmetrics", "torchvision", "transformers", "xgboost",
)  # fmt: skip
"""Packages of the image whose versions are noted."""
MOST_VERSIONS = 12
LONGEST = 200
"""Characters of any text in here."""

NOT_NOTED = "an older version of the platform recorded this result and did not note it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Sealed with a result. What could not be read is None or empty, and `unknown` has the reason by its name.

    Nothing of the runner's own environment is in it.
    """

    config_sha256: str | None = None
    """Of the config with its overrides: equal for equal configs."""
    config_file_sha256: str | None = None
    """Of the config file as it was uploaded."""
    seed: str | None = None
    """As the config names one."""
    data_sha256: str | None = None
    """Of the manifest of the benchmark's public data, as the run saw it."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions of Python and of LIBRARIES in the image."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the engine, its parts and the kernel, and of the GPU's driver, when the run was launched."""
    limits: Mapping[str, str] = field(default_factory=dict)
    """Of the run's class, as they were when it was launched."""
    runner_version: str | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """Its parts as tags, at most 80, each of at most LONGEST characters."""
        single = {
            "config_sha256": self.config_sha256,
            "config_file_sha256": self.config_file_sha256,
            "seed": self.seed,
            "data_sha256": self.data_sha256,
            "runner_version": self.runner_version,
        }
        several = {"library": self.libraries, "version": self.versions, "limit": self.limits}
        found = {
            **{name: value for name, value in single.items() if value is not None},
            **{f"{kind}.{name}": value for kind, values in several.items() for name, value in values.items()},
        }
        return {PREFIX + name: value[:LONGEST] for name, value in found.items()}
