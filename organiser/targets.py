"""The two folders that are made: checked before anything is read, and put in place together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from organiser.samples import Refused


def check_targets(name: str, output: Path, labels: Path, source: Path) -> None:
    """Raises Refused. All paths are absolute and resolved."""
    for option, target in (("--output", output), ("--labels", labels)):
        if target.name != name:
            raise Refused(f"{option} must end in the benchmark's name: {target.parent / name}")
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise Refused(f"{option}: {target} is not empty; remove it or choose another place")
        if target.is_relative_to(source):
            raise Refused(f"{option} lies in the source, whose files would be mixed with it; choose another place")
    if labels.is_relative_to(output) or output.is_relative_to(labels):
        raise Refused("--labels and --output must not lie in each other: every run sees what is in --output")


@contextmanager
def staged(output: Path, labels: Path) -> Iterator[tuple[Path, Path]]:
    """Two empty folders that take the targets' places if all goes well, and vanish if not."""
    places: list[Path] = []
    try:
        for target in (output, labels):
            target.parent.mkdir(parents=True, exist_ok=True)
            places.append(Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)))
            (places[-1] / "new").mkdir()
        yield places[0] / "new", places[1] / "new"
        for target in (output, labels):
            if target.exists():
                target.rmdir()  # fails where something has come into it meanwhile
        (places[1] / "new").rename(labels)  # first: no benchmark without its labels
        try:
            (places[0] / "new").rename(output)
        except OSError:
            labels.rename(places[1] / "new")
            raise
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
