"""Runs a benchmark's scorer on this machine, as a site does in a container: `score.py` of the labels, or our own.

It runs as the organiser, without walls; it is the organiser's own program.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import scorer
from organiser.samples import Refused
from scorer.score import BAD_LABELS, BAD_PREDICTIONS

OWN_PROGRAM = "score.py"
WRONG_USE = 2
"""What argparse ends with for an option that it does not know."""
MOST_WORDS = 2000
NO_EXAMPLES = (
    f"{OWN_PROGRAM} makes no example predictions, so nothing could be tried: let `{OWN_PROGRAM} --example perfect "
    "--labels DIR --output DIR`, and `--example constant`, write some (docs/scoring.md)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scorer:
    """The scorer that belongs to a folder of labels."""

    labels: Path
    work: Path
    """An empty folder of its own for what it prints and writes."""
    seconds: float

    @property
    def is_own(self) -> bool:
        """Whether the labels bring a scorer of their own."""
        return (self.labels / OWN_PROGRAM).is_file()

    def example(self, kind: str) -> Path:
        """Predictions of that kind, in a folder. Raises Refused."""
        made = self.work / f"{kind}-predictions"
        code, words = self._run(["--example", kind, "--output", str(made)])
        if code == WRONG_USE and self.is_own:
            raise Refused(NO_EXAMPLES)
        self._judge(code, words, f"making {kind} predictions")
        return made

    def score(self, predictions: Path) -> Path:
        """The folder with its answer. Raises Refused."""
        output = self.work / f"{predictions.name}-scores"
        output.mkdir()
        code, words = self._run(["--predictions", str(predictions), "--output", str(output)])
        self._judge(code, words, f"scoring {predictions.name}")
        return output

    def _judge(self, code: int, words: str, doing: str) -> None:
        if code == BAD_LABELS:
            raise Refused(f"the labels are wrong:\n{words}")
        if code == BAD_PREDICTIONS:
            raise Refused(f"{doing}: the scorer refuses predictions that it or the labels gave:\n{words}")
        if code:
            raise Refused(f"{doing}: the scorer ended with exit code {code}. Its last words:\n{words}")

    def _run(self, options: list[str]) -> tuple[int, str]:
        program = [str(self.labels / OWN_PROGRAM)] if self.is_own else ["-P", "-m", "scorer.score"]
        said = self.work / "said"
        with said.open("wb") as log:
            try:
                code = subprocess.run(  # noqa: S603 the organiser's own program
                    [sys.executable, *program, "--labels", str(self.labels), *options],
                    cwd=self.work, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    timeout=self.seconds, check=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired as error:
                raise Refused(f"the scorer took longer than {self.seconds:g} s (--seconds) and was stopped") from error
        with said.open("rb") as log:
            log.seek(max(0, said.stat().st_size - MOST_WORDS))
            return code, log.read().decode(errors="replace").strip() or "(it said nothing)"

    def _environment(self) -> dict[str, str]:
        """Little of the organiser's own; no compiled files are left beside the labels, whose hash counts."""
        own = {} if self.is_own else {"PYTHONPATH": str(Path(scorer.__file__).parents[1])}
        return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(self.work), "PYTHONDONTWRITEBYTECODE": "1", **own}
