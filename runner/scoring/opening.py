"""Builds what scores predictions, from the settings."""

from __future__ import annotations

from contextlib import ExitStack

from core.settings import Settings
from runner.scoring.docker_scorer import DockerScorer
from runner.scoring.labels_folder import LabelsFolder
from runner.scoring.scoring import Scoring


def open_scoring(settings: Settings, seccomp: str, opened: ExitStack, *, process: str) -> Scoring:
    """`opened` closes its connection to the engine; `process` is the mark of this process."""
    scorer = DockerScorer.on(
        settings.engine_socket,
        seccomp=seccomp,
        limits=settings.scoring,
        runtime=settings.sandbox_runtime,
        process=process,
    )
    opened.callback(scorer.close)
    return Scoring(scorer=scorer, labels=LabelsFolder(root=settings.labels_root), image=settings.sandbox_image)
