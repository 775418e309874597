"""Builds what scores predictions, from the settings."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from core.settings import Settings
from runner.scoring.docker_scorer import DockerScorer
from runner.scoring.labels_folder import LabelsFolder
from runner.scoring.scoring import Scoring

SEEN = ("upload_root", "log_root", "job_root", "artifact_root", "benchmark_root", "weights_root")
"""Folders of which others than scorers see something."""


def check_hidden(settings: Settings) -> None:
    """Raises ValueError if labels lie where the gateway, MLflow or a submission's container could read them."""
    labels = settings.labels_root.resolve()
    for name in SEEN:
        root: Path = getattr(settings, name).resolve()
        if labels.is_relative_to(root) or root.is_relative_to(labels):
            raise ValueError(f"LABELS_ROOT: {labels} and {name.upper()} {root} must lie beside each other")


def open_scoring(settings: Settings, seccomp: str, opened: ExitStack, *, process: str) -> Scoring:
    """`opened` closes its connection to the engine; `process` is the mark of this process. Raises ValueError."""
    check_hidden(settings)
    scorer = DockerScorer.on(
        settings.engine_socket,
        seccomp=seccomp,
        limits=settings.scoring,
        runtime=settings.sandbox_runtime,
        process=process,
    )
    opened.callback(scorer.close)
    return Scoring(scorer=scorer, labels=LabelsFolder(root=settings.labels_root), image=settings.sandbox_image)
