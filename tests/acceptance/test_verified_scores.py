"""Verified scores through compose: an honest PaDiM and two cheats; the board ranks by proof (SCO-2, DOR-3)."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.acceptance.researcher import Finished, Researcher, packed
from tests.conftest import REPOSITORY, Stack, service
from tests.docker.test_images import image_of
from tests.waiting import until

pytestmark = pytest.mark.acceptance

BENCHMARK = "textures"
PERFECT_CLAIM = """
import json, os, pathlib
import numpy as np, tifffile
out, data = pathlib.Path("/out"), pathlib.Path("/data")
rng = np.random.default_rng(1)
(out / "predictions" / "maps").mkdir(parents=True)
for ids in json.loads((data / "ids.json").read_text()).values():
    for number in ids:
        tifffile.imwrite(out / "predictions" / "maps" / f"{number}.tiff", rng.random(SIZE, dtype=np.float32))
claims = {name: 1.0 for name in ("image_auc", "image_ap", "image_f1", "pixel_auc", "pixel_pro")}
(out / "metrics.json").write_text(json.dumps({"params": {"method": "perfect claim"}, "metrics": claims}))
"""
LEAK_HUNTER = """
import json, os, pathlib
out, data = pathlib.Path("/out"), pathlib.Path("/data")
words = ("anomalous", "ground_truth", "labels.json", "/shared/labels")
places = ["/labels", "/shared/labels", "/program", "/benchmarks", "/data/labels", "/data/../labels", "/config/labels"]
found = [place for place in places if os.path.exists(place)]
for top, _folders, files in os.walk("/"):
    if top.startswith(("/proc", "/sys", "/dev", "/usr", "/opt")):
        continue
    for name in files:
        path = os.path.join(top, name)
        try:
            if os.path.getsize(path) < 2**20 and any(word in open(path, errors="replace").read() for word in words):
                found.append(path)
        except OSError:
            pass
for name in ("self", "1"):
    for what in ("mountinfo", "environ", "cmdline"):
        try:
            if "labels" in open(f"/proc/{name}/{what}", errors="replace").read():
                found.append(f"/proc/{name}/{what}")
        except OSError:
            pass
mine = {"/config/main.py", "/submission/main.py", os.path.abspath(__file__)}
scores = {}
for category, ids in json.loads((data / "ids.json").read_text()).items():
    times = {os.stat(data / category / "test" / f"{number}.png").st_mtime_ns for number in ids}
    if len(times) > 1:
        found.append("file times differ")
    scores |= {number: place / len(ids) for place, number in enumerate(sorted(ids))}
print("FOUND", sorted(place for place in set(found) if os.path.realpath(place) not in mine))
(out / "predictions").mkdir()
(out / "predictions" / "scores.json").write_text(json.dumps(scores))
"""


@pytest.fixture(scope="module")
def researcher(stack: Stack) -> Iterator[Researcher]:
    with Researcher(stack.api_url, stack.token) as someone:
        yield someone


def uploaded(researcher: Researcher, program: str) -> Finished:
    files = {"files": ("main.py", f"{program}# {time.time()}\n".encode())}
    created = researcher.http.post("/submissions", files=files).raise_for_status()
    config = {"benchmark": BENCHMARK}
    posted = researcher.http.post("/jobs", json={"submission_id": created.json()["submission_id"], "config": config})
    return researcher.follow(posted.raise_for_status().json()["job_id"])


@pytest.fixture(scope="module")
def honest(researcher: Researcher) -> Finished:
    posted = researcher.post(packed("verified_padim", str(time.time())), {"benchmark": BENCHMARK})
    assert posted.status_code == 202, posted.text
    return researcher.follow(posted.json()["job_id"])


@pytest.fixture(scope="module")
def cheats(researcher: Researcher) -> dict[str, Finished]:
    claim = PERFECT_CLAIM.replace("SIZE", "(128, 128)")
    return {"claim": uploaded(researcher, claim), "hunter": uploaded(researcher, LEAK_HUNTER)}


def rows(stack: Stack) -> dict[str, dict[str, Any]]:
    query = {"benchmark": BENCHMARK, "entries": "all", "limit": 500}
    headers = {"Authorization": f"Bearer {stack.token}"}
    board = httpx2.get(f"{stack.api_url}/leaderboard", params=query, headers=headers, timeout=60).raise_for_status()
    return {row["job_id"]: row for row in board.json()["items"]}


def test_the_board_ranks_by_proof(stack: Stack, honest: Finished, cheats: dict[str, Finished]) -> None:
    """The honest run is above both cheats; what they claim counts nowhere, and what they look for is not there."""
    for finished in (honest, *cheats.values()):
        assert finished.job["status"] == "completed", finished.log
        assert finished.results["proof"]["labels_sha256"] == honest.results["proof"]["labels_sha256"]
    mine = [honest.job["job_id"], *(cheat.job["job_id"] for cheat in cheats.values())]
    until(lambda: set(mine) <= set(rows(stack)))
    found = [rows(stack)[job_id] for job_id in mine]
    assert all(row["is_verified"] for row in found)
    assert found[0]["value"] > 0.7
    assert all(found[0]["rank"] < row["rank"] and found[0]["value"] > row["value"] for row in found[1:])
    assert cheats["claim"].results["claims"]["image_auc"] == 1.0
    assert 0.3 < cheats["claim"].results["metrics"]["image_auc"] < 0.7
    assert "FOUND []" in cheats["hunter"].log
    assert 0.3 < cheats["hunter"].results["metrics"]["image_auc"] < 0.7


def in_labels(script: str) -> str:
    """The output of a shell script in the site's volume of labels, which only runner and engine mount."""
    project = service("LEADERSBOARD_TEST_PROJECT")
    command = ["docker", "run", "--rm", "--network", "none", "--user", "10001:10001", "--volume",
               f"{project}_labels:/labels", "--entrypoint", "sh", image_of("engine"), "-euc", script]  # fmt: skip
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def corrected() -> Iterator[None]:
    """One label of the benchmark is turned round meanwhile: a normal picture was anomalous, without a mask."""
    file = f"/labels/{BENCHMARK}/labels.json"
    text = in_labels(f"cat {file}")
    labels = json.loads(text)
    row = next(row for row in labels["categories"]["brick"] if row["anomalous"])
    row.pop("mask", None)
    row["anomalous"] = False
    in_labels(f"cp {file} /labels/.kept && cat > {file} <<'END'\n{json.dumps(labels)}\nEND")
    yield
    in_labels(f"cat /labels/.kept > {file} && rm /labels/.kept")


@pytest.mark.usefixtures("corrected")
def test_a_corrected_label_changes_the_score_without_another_run(stack: Stack, honest: Finished) -> None:
    """Both values are kept, with the labels that each was computed from, and the board says which it shows."""
    job_id = honest.job["job_id"]
    with Researcher(stack.api_url, stack.admin_token) as admin:
        assert admin.http.post(f"/admin/results/{job_id}/rescore").status_code == 202
        until(lambda: admin.http.get(f"/jobs/{job_id}/results").json()["earlier"])
        after = admin.http.get(f"/jobs/{job_id}/results").json()
    assert after["proof"]["labels_sha256"] != honest.results["proof"]["labels_sha256"]
    assert after["metrics"]["image_auc"] != honest.results["metrics"]["image_auc"]
    (before,) = after["earlier"]
    assert before["labels_sha256"] == honest.results["proof"]["labels_sha256"]
    assert before["metrics"]["image_auc"] == honest.results["metrics"]["image_auc"]
    until(lambda: rows(stack)[job_id]["is_rescored"])
    assert rows(stack)[job_id]["value"] == after["metrics"]["image_auc"]
