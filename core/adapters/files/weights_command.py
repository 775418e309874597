"""What `scripts/weights` starts beside the folder: lists, takes, removes and sums up the site's weights."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.adapters.files.hub_repository import Refused, sums_of
from core.adapters.files.weights_folder import WeightsFolder
from core.adapters.files.weights_intake import INCOMING, take
from core.domain.errors import LeadersboardError
from core.domain.limits import MIB
from core.domain.visible_text import visible
from core.domain.weights import Weights, WeightsKind

ROOT = Path("/shared/weights")
NAMED_BY_HAND = (".safetensors", ".bin")
"""Files that the hub's libraries find under a repository's name alone."""


def main(arguments: Sequence[str], root: Path = ROOT) -> None:
    """Exit code 0: done; 1: refused, and nothing was changed."""
    asked = _asked(arguments)
    try:
        for line in _done(root, asked):
            sys.stdout.write(f"{visible(line)}\n")
    except (Refused, LeadersboardError) as error:
        sys.stderr.write(f"{visible(str(error))}\n")
        sys.exit(1)


def _done(root: Path, asked: argparse.Namespace) -> Iterator[str]:
    if asked.step == "add":
        yield from _added(root, asked)
    elif asked.step == "remove":
        yield from _removed(root, asked.names)
    elif asked.step == "sums":
        yield from _summed(root, asked.names)
    else:
        yield from _listed(root)


def _added(root: Path, asked: argparse.Namespace) -> Iterator[str]:
    placed = take(root, sys.stdin.buffer, name=asked.name, size=asked.size, repository=asked.repository)
    one = next((one for one in WeightsFolder(root).list_weights() if one.path == placed.path), None)
    yield from (f"{digest}  {placed.path}{'/' * bool(path)}{path}" for path, digest in placed.sums.items())
    if placed.left_out:
        yield f"{placed.left_out} hidden files were left out."
    if one is None:  # another call has removed it again
        return
    yield f"Added {one.name} ({_size(one)}), for every run from now on. A submission uses it by:"
    yield f"  {one.use}"
    if one.kind is WeightsKind.PLAIN and one.name.endswith(NAMED_BY_HAND):
        yield "  For timm or the Hugging Face hub remove it, and add it again with --repository ORGANISATION/NAME."


def _listed(root: Path) -> Iterator[str]:
    found = WeightsFolder(root).list_weights()
    for one in found:
        yield f"{one.name}  {_size(one)}  {one.kind}  {one.use}"
    if not found:
        yield "There are none yet: scripts/weights add FILE|FOLDER (docs/weights.md)."


def _removed(root: Path, names: Sequence[str]) -> Iterator[str]:
    """They vanish by one rename; a run that reads one of them meanwhile may fail."""
    for one in _named(root, names):
        aside = root / INCOMING / f"removed-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            (root / one.path).rename(aside)
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
        except OSError as error:
            raise Refused(f"{one.name} could not be removed: {error.strerror}.") from error
        yield f"Removed {one.name} ({_size(one)})."


def _summed(root: Path, names: Sequence[str]) -> Iterator[str]:
    """Lines as `sha256sum --check` reads them, in the folder itself."""
    for one in _named(root, names) if names else WeightsFolder(root).list_weights():
        for path, digest in sums_of(root / one.path).items():
            yield f"{digest}  {one.path}{'/' * bool(path)}{path}"


def _named(root: Path, names: Sequence[str]) -> list[Weights]:
    found = {one.name: one for one in WeightsFolder(root).list_weights()}
    if missing := [name for name in names if name not in found]:
        raise Refused(
            f"There are no weights {missing[0][:200]!r}. `scripts/weights list` has: {', '.join(found) or 'none'}."
        )
    return [found[name] for name in names]


def _size(one: Weights) -> str:
    return f"{one.size_bytes / MIB:,.1f} MB"


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/weights", description="The site's weights: docs/weights.md.")
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("list", help="what runs find in /weights")
    add = steps.add_parser("add", help="take a file or folder, as tar on standard input")
    add.add_argument("name")
    add.add_argument("--size", type=int, default=0)
    add.add_argument("--repository", default="", help="as which repository of the Hugging Face hub")
    steps.add_parser("remove").add_argument("names", nargs="+")
    steps.add_parser("sums").add_argument("names", nargs="*")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
