"""`scripts/benchmark check`: holds labels against the data of a benchmark, and tries its scorer on them."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from core.adapters.files.benchmark_layout import TEST
from core.adapters.files.benchmark_pictures import Unreadable, decoded
from core.adapters.files.benchmark_yaml import MAX_BYTES, NAME
from core.domain.benchmark import Benchmark, Direction
from core.domain.proof import Scores
from organiser.answers import FILE, read_answer
from organiser.listing import LINK
from organiser.samples import Refused
from organiser.scorers import Scorer
from scorer.examples import CONSTANT, KINDS, PERFECT
from scorer.faults import BadLabels, Faults
from scorer.labels import Category, read_labels

SECONDS = 600.0
Say = Callable[[str], None]


def add_check(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help=f"the benchmark: {NAME} and its data")
    parser.add_argument("--labels", type=Path, required=True, help="folder of its labels")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run of the scorer (default 600)")


def check(asked: argparse.Namespace, say: Say) -> None:
    """Says what constant and perfect predictions get. Raises Refused with what is wrong."""
    folder, labels = asked.folder.expanduser().resolve(), asked.labels.expanduser().resolve()
    benchmark = _benchmark(folder)
    faults = Faults()
    _check_places(folder, labels, faults)
    faults.raise_as(Refused)
    with tempfile.TemporaryDirectory(prefix="leadersboard-check-") as work:
        scorer = Scorer(labels=labels, work=Path(work), seconds=asked.seconds)
        if not scorer.is_own:
            _check_labels(folder / benchmark.data, labels, benchmark, faults)
            faults.raise_as(Refused)
        answers = {kind: read_answer(scorer.score(scorer.example(kind)) / FILE, benchmark) for kind in KINDS}
    for line in _table(answers, benchmark):
        say(line)
    _compare(answers, benchmark)


def _benchmark(folder: Path) -> Benchmark:
    """What benchmark.yaml says, whose other faults `scripts/benchmark FOLDER` names. Raises Refused."""
    try:
        with (folder / NAME).open("rb") as file:
            document = yaml.safe_load(file.read(MAX_BYTES))
        if not isinstance(document, dict) or document.get("scoring") != "verified":
            raise Refused(f"{folder / NAME} does not say `scoring: verified`, so no scorer belongs to it")
        return Benchmark.model_validate(document)
    except (OSError, yaml.YAMLError, ValidationError, ValueError, RecursionError) as error:
        raise Refused(f"{folder / NAME} cannot be used ({error}). See: scripts/benchmark {folder}") from error


def _check_places(folder: Path, labels: Path, faults: Faults) -> None:
    if not labels.is_dir():
        faults.add("there is no such folder of labels", str(labels))
        return
    if labels.is_relative_to(folder) or folder.is_relative_to(labels):
        faults.add("the labels lie in the benchmark's folder, where runs see them; move them out of it", str(labels))
    for path in labels.rglob("*"):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            faults.add(LINK, str(path))


def _check_labels(data: Path, folder: Path, benchmark: Benchmark, faults: Faults) -> None:
    """Labels and pictures to test on belong to each other. Raises Refused for labels that cannot be read."""
    try:
        labels = read_labels(folder)
    except BadLabels as error:
        raise Refused(f"the labels are wrong:\n{error}") from error
    if {category.name for category in labels.categories} != set(benchmark.categories):
        faults.add(f"the categories of the labels are not those of {NAME}")
        return
    for category in labels.categories:
        _check_category(data / category.name / TEST, category, faults)


def _check_category(folder: Path, category: Category, faults: Faults) -> None:
    there = {path.stem: path for path in folder.glob("*.png")}
    for picture in category.pictures:
        place = f"{category.name}/{TEST}/{picture.id}.png"
        if picture.id not in there:
            faults.add("a label is for no picture", place)
            continue
        try:
            with decoded(there.pop(picture.id)) as (image, _raw):
                if image.size != picture.size:
                    faults.add("a picture has another size than its label says", place)
        except Unreadable as error:
            faults.add(f"a picture {error}", place)
    for name in there:
        faults.add("a picture has no label", f"{category.name}/{TEST}/{name}.png")


def _table(answers: Mapping[str, Scores], benchmark: Benchmark) -> list[str]:
    names = [name for name in answers[PERFECT].metrics if name in answers[CONSTANT].metrics]
    ranked = [rule.name for rule in benchmark.metrics]
    lines = [f"Scorer: {answers[PERFECT].scorer}", f"{'':24}{CONSTANT:>12}{PERFECT:>12}"]
    for name in sorted(names, key=lambda one: ranked.index(one) if one in ranked else len(ranked)):
        shown = f"{answers[CONSTANT].metrics[name]:>12.4f}{answers[PERFECT].metrics[name]:>12.4f}"
        lines.append(f"{name:24}{shown}" + ("" if name in ranked else f"   (not in {NAME}, so not on the board)"))
    lines += [f"note: {note}" for note in answers[PERFECT].notes]
    missing = [name for name in ranked if name not in names]
    return lines + [f"note: {name} of {NAME} is not computed, so its column stays empty" for name in missing]


def _compare(answers: Mapping[str, Scores], benchmark: Benchmark) -> None:
    """Raises Refused where knowing everything is not worth more than knowing nothing."""
    for rule in benchmark.metrics:
        known, unknown = (answers[kind].metrics.get(rule.name) for kind in (PERFECT, CONSTANT))
        if known is None or unknown is None:
            continue
        gain = known - unknown if rule.direction is Direction.MAXIMIZE else unknown - known
        if gain < 0 or (gain == 0 and rule.name == benchmark.primary_metric):
            raise Refused(
                f"perfect predictions get no better {rule.name} than constant ones: its direction in {NAME}, the "
                "labels or the scorer must be wrong"
            )
