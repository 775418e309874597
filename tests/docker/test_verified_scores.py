"""Jobs whose scores the platform computes: the scorer in the real engine, behind its walls (SCO-2, DOR-3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from core.domain.job import JobState
from core.domain.limits import MIB, ScoringLimits
from core.domain.verdict import FailureReason
from runner.engine.docker_engine import DockerEngine
from runner.scoring.docker_scorer import DockerScorer
from runner.scoring.labels_folder import LabelsFolder
from runner.scoring.scoring import Scoring
from tests.conftest import service
from tests.docker.conftest import SECCOMP
from tests.twin_runner import TwinRunner
from tests.verified_benchmark import PERFECT, PROGRAM, RANDOM, SECRET, write_benchmark

pytestmark = pytest.mark.docker
LIMITS = ScoringLimits(seconds=60, memory_bytes=512 * MIB, cpus=1.0)

HUNTER = (
    PROGRAM
    + """
found = []
for place in ("/labels", "/program", "/predictions", "/shared", "/mask", "/masks"):
    found += [place] if os.path.lexists(place) else []
for name, value in os.environ.items():
    found += [name] if "label" in (name + value).lower() else []
found += [line for line in open("/proc/self/mountinfo") if "/labels" in line]
walked = (path for top in ("/data", "/config", "/submission", "/job", "/tmp", "/out", "/run", "/mnt", "/home", "/srv")
          for path in pathlib.Path(top).rglob("*"))
found += [str(path) for path in walked if "label" in path.name or "mask" in path.name]
for process in pathlib.Path("/proc").glob("[0-9]*/root"):
    found += [str(process)] if (process / "labels").exists() else []
test = pathlib.Path("/data/dots/test")
print("sizes and times", len({{path.stat().st_mtime for path in test.iterdir()}}))
print("hunted", found)
(out / "scores.json").write_text(json.dumps(dict.fromkeys(ids, 0.5)))
""".replace("{{", "{").replace("}}", "}")
)
CURIOUS = """
import json, os, pathlib, socket, sys
told = dict(zip(sys.argv[1::2], sys.argv[2::2]))
def written(path):
    try:
        pathlib.Path(path, "proof").write_text("x")
        return True
    except OSError:
        return False
def reaches_out():
    try:
        socket.create_connection(("192.0.2.1", 80), 2)
        return True
    except OSError as error:
        return str(error.errno)
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
facts = {
    "uid": os.getuid(), "capabilities": status["CapEff"].strip(), "no_new": status["NoNewPrivs"].strip(),
    "seccomp": status["Seccomp"].strip(), "networks": sorted(os.listdir("/sys/class/net")), "out": reaches_out(),
    "written": [path for path in ("/", "/labels", "/predictions", "/program", "/out", "/tmp") if written(path)],
}
print("a flood of words\\n" * 10_000)
answer = {"version": "curious", "metrics": {"pixel_auc": 0.25}, "notes": [json.dumps(facts)]}
pathlib.Path(told["--output"], "scores.json").write_text(json.dumps(answer))
"""


@pytest.fixture
def labels(runner: TwinRunner[DockerEngine], image: str, fresh_name: str) -> Iterator[Path]:
    """The benchmark's labels; the runner has a scorer in the real engine."""
    made = write_benchmark(runner.root / "benchmarks", runner.root / "labels", "synthetic")
    client = docker.DockerClient(base_url=service("LEADERSBOARD_TEST_ENGINE"))
    scorer = DockerScorer(client=client, seccomp=SECCOMP, limits=LIMITS, process=fresh_name)
    runner.scoring = Scoring(
        scorer=scorer, labels=LabelsFolder(root=runner.root / "labels"), image=image, pauses=(0.1, 0.1)
    )
    yield made
    client.close()


def figures(runner: TwinRunner[DockerEngine], job: Any) -> dict[str, float]:
    recorded = runner.results.get(job.job_id)
    assert recorded is not None, runner.log_of(job)
    return dict(recorded.result.metrics)


@pytest.mark.usefixtures("labels")
def test_the_board_ranks_by_proof(runner: TwinRunner[DockerEngine]) -> None:
    """An honest program, one that claims all and knows nothing, and one that looks for labels wherever it can."""
    honest, cheat, hunter = (runner.run(runner.claim(program)) for program in (PERFECT, RANDOM, HUNTER))
    assert [job.state for job in (honest, cheat, hunter)] == [JobState.COMPLETED] * 3, runner.log_of(hunter)
    assert figures(runner, honest)["pixel_auc"] == 1.0
    assert figures(runner, cheat)["pixel_auc"] < 0.8
    assert figures(runner, hunter) == {"image_auc": 0.5, "image_ap": 0.5} | {
        name: value for name, value in figures(runner, hunter).items() if name not in {"image_auc", "image_ap"}
    }
    assert "hunted []" in runner.log_of(hunter)
    assert "pixel_auc is missing" in (hunter.unranked_because or "")
    assert "Scoring the predictions: 8 files." in runner.log_of(honest)


@pytest.mark.usefixtures("labels")
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[write(name, np.zeros((16, 16))) for name in [*ids[1:], 'other']]", "other"),
        ("[write(name, np.full((16, 16), np.nan)) for name in ids]", "17ac"),
    ],
    ids=["extra and missing", "NaN"],
)
def test_bad_predictions_are_told_by_their_first_files(runner: TwinRunner[DockerEngine], more: str, words: str) -> None:
    job = runner.run(runner.claim(PROGRAM + more))
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.BAD_PREDICTIONS)
    assert words in (job.error_message or "")


def test_a_scorer_stands_behind_walls_and_answers_through_a_flood(
    runner: TwinRunner[DockerEngine], labels: Path
) -> None:
    """No network, no rights, nothing to write but two folders; what a `score.py` of the organiser prints is bounded."""
    (labels / "score.py").write_text(CURIOUS)
    job = runner.run(runner.claim(PERFECT))
    recorded = runner.results.get(job.job_id)
    assert recorded is not None, (runner.log_of(job), runner.dead_letters.page())
    assert recorded.result.proof is not None, runner.dead_letters.page()
    facts = json.loads(recorded.result.proof.notes[0])
    assert facts == {
        "uid": 59002, "capabilities": "0" * 16, "no_new": "1", "seccomp": "2", "networks": ["lo"], "out": "101",
        "written": ["/out", "/tmp"],
    }  # fmt: skip


def test_labels_that_are_wrong_are_the_organisers_matter(runner: TwinRunner[DockerEngine], labels: Path) -> None:
    """Three tries; the run is kept, unranked, and only an admin reads the scorer's words."""
    (labels / "labels.json").write_text(json.dumps({"version": SECRET}))
    job = runner.run(runner.claim(PERFECT))
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    assert "the labels of this benchmark are wrong" in (job.unranked_because or "")
    assert SECRET not in runner.log_of(job)
    (letter,) = runner.dead_letters.page().letters
    assert (letter.count, "labels.json" in letter.failure.message) == (3, True)


@pytest.mark.usefixtures("labels")
def test_labels_that_the_engine_does_not_see_are_told(runner: TwinRunner[DockerEngine], tmp_path: Path) -> None:
    """E.g. an engine that was started before it had the folder: the words are for an admin, and no run is lost."""
    write_benchmark(tmp_path / "benchmarks", tmp_path / "labels", "synthetic")
    scoring: Any = runner.scoring
    runner.scoring = replace(scoring, labels=LabelsFolder(root=tmp_path / "labels"), pauses=())
    job = runner.run(runner.claim(PERFECT))
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    assert "the engine refuses to start it" in (job.unranked_because or "")
    assert "bind source path does not exist" in runner.dead_letters.page().letters[0].failure.message


@pytest.mark.parametrize(
    ("program", "seconds", "shown"),
    [
        ("while True: print('words ' * 1000)", 2.0, "it took too long and was stopped"),
        ("x = bytearray(2_000_000_000)", 60.0, "it needed more memory than scorers get"),
        ("open('/out/scores.json', 'w').write('{' * 3_000_000)", 60.0, "its answer cannot be used"),
        ("import os; os.symlink('/labels/README', '/out/scores.json')", 60.0, "its answer cannot be used"),
    ],
    ids=["flood without end", "memory", "too large", "nonsense"],
)
def test_a_broken_scorer_costs_no_run(
    runner: TwinRunner[DockerEngine], labels: Path, program: str, seconds: float, shown: str
) -> None:
    (labels / "score.py").write_text(program)
    scoring: Any = runner.scoring
    limits = LIMITS.model_copy(update={"seconds": seconds})
    runner.scoring = replace(scoring, scorer=replace(scoring.scorer, limits=limits), pauses=())
    job = runner.run(runner.claim(PERFECT))
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    assert shown in (job.unranked_because or "")
    assert SECRET not in runner.log_of(job)
