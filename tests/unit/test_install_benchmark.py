"""`scripts/lib/benchmarks.sh`: labels go where no run sees them, before the benchmark, or nothing is installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

STUBS = """
set -euo pipefail
. scripts/lib/steps.sh; . scripts/lib/projects.sh; . scripts/lib/benchmarks.sh
PROJECT=trial ENV_FILE=$1/env; shift
step() { shift 3; "$@"; }
compose() { return 1; }
inner() { echo "inner ${*: -7}" >&2; cat >/dev/null; }
check_benchmark() { :; }
check_received() { [ -z "${FAULTS:-}" ]; }
in_volume() { echo "$1: $(volume_of "$1") $(printf '%s' "$2" | grep -o 'tar -C\\|mv .*incoming\\|rm -rf .*incoming' | tr -d '\\n') ${*:3:1}"; cat >/dev/null; }
scripts/benchmark() { [ -z "${WRONG:-}" ]; }
install_benchmark "$@"
"""  # noqa: E501 one line for each function


def folder(root: Path, scoring: str, *, draws: bool = False) -> Path:
    place = root / "surfaces"
    place.mkdir()
    (place / "benchmark.yaml").write_text(f"name: surfaces\nscoring: {scoring}\n")
    if draws:
        (place / "make.py").touch()
    return place


def install(root: Path, *arguments: object, **environment: str) -> tuple[int, list[str], str]:
    """Exit code, what was done in which volume, and what was said."""
    (root / "env").write_text("LABELS=/srv/labels\n")
    ended = subprocess.run(
        ["bash", "-c", STUBS, "install", root, *map(str, arguments)],
        cwd=REPOSITORY, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ended.returncode, [line for line in ended.stdout.splitlines() if ": " in line], ended.stderr


def test_labels_are_placed_before_the_benchmark(tmp_path: Path) -> None:
    """In the volume or folder that the settings name."""
    labels = tmp_path / "labels"
    labels.mkdir()
    code, done, said = install(tmp_path, folder(tmp_path, "verified"), "", labels)
    assert (code, [line.split()[0] for line in done]) == (0, ["benchmarks:", "labels:", "labels:", "benchmarks:"]), said
    assert done[0].startswith("benchmarks: trial_benchmarks ")
    assert done[1].startswith("labels: /srv/labels ")
    assert "Benchmark surfaces installed" in said


def test_a_program_draws_labels_apart_from_the_data(tmp_path: Path) -> None:
    """Once for each volume, so that neither stream holds the other's files."""
    code, _done, said = install(tmp_path, folder(tmp_path, "verified", draws=True))
    calls = [line for line in said.splitlines() if line.startswith("inner ")]
    assert code == 0
    assert calls == [
        "inner made . benchmark.yaml public --out public --labels labels",
        "inner made labels . --out public --labels labels",
    ]


def test_reported_ones_have_no_labels(tmp_path: Path) -> None:
    code, done, _said = install(tmp_path, folder(tmp_path, "reported", draws=True))
    assert (code, {line.split()[0] for line in done}) == (0, {"benchmarks:"})


@pytest.mark.parametrize(
    ("scoring", "labels", "environment", "words"),
    [
        ("verified", "", {}, "surfaces is verified: name the folder of its labels with --labels"),
        ("reported", "labels", {}, "does not say `scoring: verified`, so it has no labels"),
        ("verified", "labels", {"WRONG": "1"}, "nothing was installed: mend what is listed above (docs/scoring.md)"),
        ("verified", "labels", {"FAULTS": "1"}, "nothing was installed: mend what is listed above (docs/benchmarks"),
    ],
)
def test_nothing_is_placed_where_something_is_wrong(
    scoring: str, labels: str, environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "labels").mkdir()
    place = folder(tmp_path, scoring)
    code, done, said = install(tmp_path, place, "", tmp_path / labels if labels else "", **environment)
    assert (code, words in said) == (1, True), said
    assert not [line for line in done if "mv" in line]


def test_by_force_it_is_installed_with_faults(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    place = folder(tmp_path, "verified")
    code, done, said = install(tmp_path, place, "--force", tmp_path / "labels", WRONG="1", FAULTS="1")
    assert (code, len([line for line in done if "mv" in line])) == (0, 2), said
