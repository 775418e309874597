"""A runner on in-memory twins whose benchmark is scored by the platform, with a scorer in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.sealed_result import SealedResult
from core.ports.scorer import ScorerAnswer
from runner.scoring.labels_folder import LabelsFolder
from runner.scoring.scoring import Scoring
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner
from tests.twins.scorer import MemoryScorer
from tests.verified_benchmark import SECRET, write_benchmark

CRASH = ScorerAnswer(exit_code=1, words=f"Traceback …\nKeyError: {SECRET}")
"""Of a scorer whose last words quote a label."""


@dataclass
class ScoredSite:
    """A runner, its scorer, and the folder of labels."""

    runner: TwinRunner[ProcessEngine]
    scorer: MemoryScorer
    labels: Path
    scoring: Scoring

    def run(self, program: str, **options: Any) -> Any:
        return self.runner.run(self.runner.claim(program, **options))

    def result(self, job: Any) -> SealedResult:
        recorded = self.runner.results.get(job.job_id)
        assert recorded is not None
        return recorded.result


def scored_site(runner: TwinRunner[ProcessEngine]) -> ScoredSite:
    """With the labels of its benchmark below the runner's own folder, and no pause between two tries."""
    labels = write_benchmark(runner.root / "benchmarks", runner.root / "labels", "synthetic")
    scorer = MemoryScorer()
    scoring = Scoring(scorer=scorer, labels=LabelsFolder(root=runner.root / "labels"), image="ours", pauses=(0.0, 0.0))
    runner.scoring = scoring
    return ScoredSite(runner, scorer, labels, scoring)
