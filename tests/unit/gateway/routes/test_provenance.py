"""Where a job's result comes from, over HTTP: what was sealed with it, for those who may read the result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.domain.job import JobState, Outcome
from core.domain.proof import Proof
from core.domain.provenance import Provenance
from core.domain.verdict import FailureReason
from tests.sites import Site

pytestmark = pytest.mark.unit

NOTED = Provenance(
    data_sha256="1" * 64,
    libraries={"torch": "2.15.0"},
    runner_version="0.1.0",
    unknown={"seed": "the config names none"},
)


def ask(site: Site, job_id: str, user: str = "ada") -> Any:
    return site.as_(user).get(f"/jobs/{job_id}/provenance")


def seal_with(site: Site, job_id: str, **changes: Any) -> None:
    known = site.ports.job_status.results  # type: ignore[attr-defined]
    known[job_id] = replace(known[job_id], **changes)


def test_it_says_what_was_sealed(site: Site) -> None:
    job_id = site.run(epochs=3)
    tags = {"leadersboard.code_sha256": "2" * 64, "leadersboard.image_digest": "sha256:3", "leadersboard.device": "cpu"}
    params = {"method": "m", "config/epochs": "3"}
    seal_with(site, job_id, provenance=NOTED, tags=tags, params=params)
    found = ask(site, job_id).json()
    assert (found["code_sha256"], found["image_digest"], found["device"]) == ("2" * 64, "sha256:3", "cpu")
    assert (found["config"], found["overrides"]) == ({"epochs": "3"}, {"epochs": 3})
    assert (found["data_sha256"], found["libraries"]) == ("1" * 64, {"torch": "2.15.0"})
    assert found["result_sha256"] == site.as_("ada").get(f"/jobs/{job_id}/results").json()["sha256"]
    assert found["unknown"]["seed"] == "the config names none"
    assert (found["scorer"], "scorer" in found["unknown"]) == (None, True)


def test_a_verified_result_has_its_scorer_and_hashes(site: Site) -> None:
    job_id = site.run()
    proof = Proof(scorer="scorer 2", predictions_sha256="4" * 64, labels_sha256="5" * 64)
    seal_with(site, job_id, provenance=NOTED, proof=proof)
    found = ask(site, job_id).json()
    assert (found["scorer"], found["labels_sha256"], found["predictions_sha256"]) == ("scorer 2", "5" * 64, "4" * 64)
    assert "scorer" not in found["unknown"]


def test_a_result_of_an_older_version_has_a_reason(site: Site) -> None:
    """Code and image were always noted."""
    job_id = site.run()
    seal_with(site, job_id, tags={"leadersboard.code_sha256": "2" * 64})
    found = ask(site, job_id).json()
    assert (found["code_sha256"], found["data_sha256"], found["libraries"]) == ("2" * 64, None, {})
    assert "older version" in found["unknown"]["all"]


def test_a_config_that_did_not_fit_has_a_reason(site: Site) -> None:
    job_id = site.run()
    seal_with(site, job_id, provenance=NOTED, params={}, left_out=("files", "params"))
    assert "leadersboard/config.json" in ask(site, job_id).json()["unknown"]["config"]


def test_a_job_without_a_result_has_a_reason(site: Site) -> None:
    job_id = site.post_job()
    assert (ask(site, job_id).status_code, ask(site, job_id).json()["code"]) == (409, "not_finished")
    site.ports.job_status.finish(site.claim(), Outcome(state=JobState.FAILED, reason=FailureReason.EXIT))
    assert ask(site, job_id).json()["unknown"] == {"all": "this job did not complete, so nothing was sealed"}


def test_others_may_not_read_it(site: Site) -> None:
    """As results: other users' jobs are not there, an admin reads all."""
    job_id = site.run()
    assert [ask(site, job_id, user).status_code for user in ("ada", "bob", "root")] == [200, 404, 200]
    assert ask(site, "0" * 32).status_code == 404
