"""`python -m core.adapters.files.benchmark_report FOLDER`: prints what is wrong with a benchmark's folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from core.adapters.files.benchmark_check import MOST_SECONDS, Budget, check_folder, check_settings
from core.adapters.files.benchmark_yaml import NAME
from core.domain.benchmark_check import BenchmarkCheck, Condition, Finding
from core.domain.visible_text import visible

ALIKE = 3
"""Findings of one folder with the same words; of more, the first ones are shown, and their number."""


def main(arguments: Sequence[str]) -> None:
    """Exit code 0: nothing is wrong; 1: something is; 2: there is no such folder."""
    asked = _asked(arguments)
    folder = Path(asked.folder).resolve()
    if not folder.is_dir():
        sys.stderr.write(f"{visible(str(folder))} is no folder.\n")
        sys.exit(2)
    check = (
        check_settings(folder) if asked.settings_only else check_folder(folder, budget=Budget(seconds=asked.seconds))
    )
    for line in report(check, most=None if asked.all else ALIKE):
        sys.stdout.write(f"{line}\n")
    sys.exit(0 if check.condition is Condition.GOOD else 1)


def report(check: BenchmarkCheck, *, most: int | None = ALIKE) -> Iterator[str]:
    """The findings as lines, and a last line that says what was looked at; `most`: how many that are alike."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in check.findings:
        groups.setdefault((str(PurePosixPath(finding.path).parent), finding.rule), []).append(finding)
    for (place, _rule), alike in groups.items():
        yield from map(_line, alike[:most])
        if most is not None and len(alike) > most:
            yield visible(f"  ... and {len(alike) - most} more like this in {place} (--all shows each)")
    if check.more:
        yield f"... and {check.more} more."
    yield _summary(check)


def _line(finding: Finding) -> str:
    mark = "note: " if finding.is_note else ""
    return visible(f"{finding.place}: {mark}{finding.rule}").replace("\n", " ")


def _summary(check: BenchmarkCheck) -> str:
    faults = sum(not one.is_note for one in check.findings) + check.more
    looked = f"{check.pictures} pictures and masks were read" if check.pictures else "no picture was read"
    unseen = f"; {check.unseen}" if check.unseen else ""
    verdict = "no fault found" if not faults else f"{faults} fault{'s' if faults != 1 else ''} to mend"
    return f"{check.name}: {verdict}; {looked}{unseen}."


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description="Look at a benchmark's folder.")
    parser.add_argument("folder", help=f"the folder with {NAME} and the data")
    parser.add_argument("--all", action="store_true", help="show every finding, also those that are alike")
    parser.add_argument("--settings-only", action="store_true", help=f"look at {NAME} alone")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="stop after so long (default 3600)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
