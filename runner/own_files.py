"""The files of a submission on the user's own machine, as a run gets them."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.domain.errors import LeadersboardError

LEFT_OUT = ("__pycache__", "node_modules", ".*")


class NotTried(LeadersboardError):
    """Raised when nothing could be run; the text says what to change."""

    code = "not_tried"


def copied(folder: Path, target: Path, *, entrypoint: str) -> Path:
    """A copy without what an upload leaves out. Raises NotTried when the program is not there."""

    def left_out(place: str, names: list[str]) -> set[str]:
        environments = {name for name in names if (Path(place) / name / "pyvenv.cfg").exists()}
        return environments | shutil.ignore_patterns(*LEFT_OUT)(place, names)

    if not folder.is_dir():
        raise NotTried(f"{folder} is no folder.")
    shutil.copytree(folder, target, ignore=left_out)
    if not (target / entrypoint).is_file():
        raise NotTried(f"{folder} has no {entrypoint}; name the program with --entrypoint.")
    return target
