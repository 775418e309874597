"""`scripts/benchmark prepare`: makes a verified benchmark of MVTec AD, of VisA, or of plain folders."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from core.domain.benchmark import BENCHMARK_NAME
from core.domain.visible_text import visible
from organiser.layouts.folder import FolderNames, read_folder
from organiser.layouts.mvtec import is_mvtec, read_mvtec
from organiser.layouts.visa import is_visa, read_visa
from organiser.samples import Refused, Source, check_sources
from organiser.targets import check_targets, staged
from organiser.writer import Plan, Writer
from scorer.faults import Faults
from scorer.labels import MOST_PIXELS

LAYOUTS = ("mvtec", "visa", "folder")
MOST_TITLE = 200
EPILOG = """Every picture is written again as 8-bit RGB PNG: its pixels and size are kept, nothing else of its file.
The seed is the secret of the order: keep it, as the labels, where no submitter can read. docs/benchmarks.md"""


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("source", type=Path, help="folder with the data set; nothing in it is changed")
    parser.add_argument("--name", required=True, help="of the benchmark: small letters, digits, - and _")
    parser.add_argument("--output", type=Path, required=True, help="benchmark folder to make; ends in the name")
    parser.add_argument("--labels", type=Path, required=True, help="folder of labels to make; ends in the name")
    parser.add_argument("--layout", choices=LAYOUTS, help="of the source; guessed if left out")
    parser.add_argument("--title", default="", help="for readers of the board; default: the name")
    parser.add_argument("--seed", type=int, help="secret number behind the order; drawn if left out")
    parser.add_argument("--category", action="append", default=[], help="take only this one; may be repeated")
    parser.add_argument("--map-size", help="WIDTHxHEIGHT of anomaly maps that are taken besides the pictures' own size")
    folders = parser.add_argument_group("layout folder", "names of folders in the source, as in anomalib's Folder")
    folders.add_argument("--normal", default="", help="normal pictures; default: normal or good")
    folders.add_argument("--abnormal", action="append", default=[], help="anomalous ones; default: abnormal, …")
    folders.add_argument("--normal-test", default="", help="normal pictures to test on; default: a fifth of --normal")
    folders.add_argument("--masks", action="append", default=[], help="masks, one for each --abnormal")


def prepare(asked: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Raises Refused, or OSError; then nothing was made."""
    root, output, labels = (path.expanduser().resolve() for path in (asked.source, asked.output, asked.labels))
    if not re.fullmatch(BENCHMARK_NAME, asked.name):
        raise Refused("--name must begin with a small letter, then have small letters, digits, - and _, at most 64")
    if not root.is_dir():
        raise Refused(f"{root} is no folder")
    check_targets(asked.name, output, labels, root)
    plan = _plan(asked, root)
    faults = Faults()
    sources = _sources(asked, plan, faults)
    check_sources(sources, faults)
    faults.raise_as(Refused)
    with staged(output, labels) as (new_output, new_labels):
        Writer(plan=plan, output=new_output, labels=new_labels, faults=faults, say=say).write(sources)
    say(f"\nWhat runs see: {output}\nLabels, for nobody but the scorer: {labels}\nLook at both: ")
    say(f"  scripts/benchmark {output}\n  scripts/benchmark check {output} --labels {labels}")


def _plan(asked: argparse.Namespace, root: Path) -> Plan:
    title = asked.title or asked.name
    if len(title) > MOST_TITLE or visible(title) != title or not title.isprintable():
        raise Refused(f"--title must be one line of at most {MOST_TITLE} visible characters")
    return Plan(
        name=asked.name,
        title=title,
        description="Scored by the platform, from labels that no run sees. Metrics are means over the categories.",
        root=root,
        seed=secrets.randbits(64) if asked.seed is None else asked.seed,
        map_size=_map_size(asked.map_size),
    )


def _map_size(told: str | None) -> tuple[int, int] | None:
    if told is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", told, re.ASCII)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not 0 < width * height <= MOST_PIXELS:
        raise Refused("--map-size must be WIDTHxHEIGHT in pixels, such as 256x256")
    return width, height


def _sources(asked: argparse.Namespace, plan: Plan, faults: Faults) -> Sequence[Source]:
    root = plan.root
    layout = asked.layout or ("visa" if is_visa(root) else "mvtec" if is_mvtec(root) else "folder")
    names = FolderNames(normal=asked.normal, abnormal=asked.abnormal, normal_test=asked.normal_test, masks=asked.masks)
    if layout != "folder":
        if names != FolderNames(normal="", abnormal=[], normal_test="", masks=[]):
            raise Refused(f"--normal, --abnormal, --normal-test and --masks are for --layout folder; this is {layout}")
        return (read_visa if layout == "visa" else read_mvtec)(root, asked.category, faults)
    if len(asked.category) > 1:
        raise Refused("--layout folder makes one category; name it with one --category")
    random = Random(f"{plan.seed}:normal test")  # noqa: S311 the seed is the secret
    return read_folder(root, (asked.category or [asked.name])[0], names, random, faults)
