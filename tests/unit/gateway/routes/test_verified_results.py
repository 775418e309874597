"""Verified scores over HTTP: proof and claims in results, ranks by proof alone, rescoring on demand (SCO-2, SCO-5)."""

from __future__ import annotations

import pytest

from core.domain.audit import AuditAction
from core.domain.dead_letter import failure_of
from core.domain.proof import Proof
from tests.builders import write_benchmark
from tests.sites import Site

pytestmark = pytest.mark.unit

PROOF = Proof(
    scorer="anomaly 1", predictions_sha256="a" * 64, labels_sha256="b" * 64,
    categories={"dots": {"image_auc": 0.25}}, notes=("a note",),
)  # fmt: skip


def verified(site: Site, claimed: float, value: float, user: str = "ada") -> str:
    """A completed job that claimed one value and was scored with another."""
    job_id = site.post_job(user)
    site.complete(metrics={"image_auc": claimed}, ranked=False, unranked_because="it could not be scored")
    recorded = site.ports.results.get(job_id)
    assert recorded is not None
    assert site.ports.results.reseal(recorded.sha256, recorded.result.rescored({"image_auc": value}, PROOF))
    return job_id


def of_verified(site: Site) -> None:
    write_benchmark(site.root / "benchmarks", scoring="verified")


def test_results_tell_proof_and_claims_apart(site: Site) -> None:
    job_id = verified(site, claimed=1.0, value=0.25)
    found = site.as_("ada").get(f"/jobs/{job_id}/results").json()
    assert (found["metrics"]["image_auc"], found["claims"]) == (0.25, {"image_auc": 1.0})
    assert found["proof"]["categories"] == {"dots": {"image_auc": 0.25}}
    assert (found["proof"]["scorer"], found["proof"]["notes"]) == ("anomaly 1", ["a note"])
    assert found["earlier"] == [{"metrics": {}, "scorer": None, "labels_sha256": None}]
    assert "claimed/image_auc" not in found["metrics"]
    assert (found["ranked"], found["unranked_because"]) == (None, None)  # that was said of the score before


def test_a_board_of_verified_scores_ranks_by_proof(site: Site) -> None:
    """A perfect claim without a proof is last, also by the name under which MLflow has it."""
    of_verified(site)
    cheat = site.run("bob", {"image_auc": 1.0})
    proven = verified(site, claimed=0.9, value=0.25)
    board = site.as_("ada").get("/leaderboard").json()
    assert board["scoring"] == "verified"
    assert [(row["rank"], row["job_id"], row["is_verified"], row["value"]) for row in board["items"]] == [
        (1, proven, True, 0.25), (None, cheat, False, None),
    ]  # fmt: skip
    assert site.as_("ada").get("/leaderboard", params={"metric": "claimed/image_auc"}).status_code == 422


def test_an_admin_has_a_result_computed_anew(site: Site) -> None:
    """It is asked for and told in the trail; what cannot be scored is refused in words."""
    job_id = site.run("ada", {"image_auc": 1.0})
    root = site.as_("root")
    refused = root.post(f"/admin/results/{job_id}/rescore")
    assert (refused.status_code, "are reported by the submissions" in refused.json()["detail"]) == (409, True)
    of_verified(site)
    answer = root.post(f"/admin/results/{job_id}/rescore")
    assert (answer.status_code, answer.json()) == (202, {"job_id": job_id})
    assert site.ports.results.take_rescore(60) == job_id
    waiting = site.post_job()
    assert root.post(f"/admin/results/{waiting}/rescore").status_code == 409
    assert root.post(f"/admin/results/{'f' * 32}/rescore").status_code == 404
    acts = [one["action"] for one in root.get("/admin/audit").json()["items"]]
    assert AuditAction.RESULT_RESCORE in acts


@pytest.mark.parametrize("step", ["score", "rescore"])
def test_the_letter_of_a_failed_scorer_leads_to_rescoring(site: Site, step: str) -> None:
    """The run is kept: it is not repeated."""
    job_id = site.run("ada", {"image_auc": 1.0})
    letter = site.ports.dead_letters.keep(failure_of(step, OSError("x"), job_id=job_id))
    answer = site.as_("root").post(f"/admin/dead-letters/{letter.letter_id}/retry")
    assert answer.status_code == 409
    assert f"POST /admin/results/{job_id}/rescore" in answer.json()["detail"]
