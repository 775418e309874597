"""A rerun beside the job that it repeats, over HTTP: whether the result holds, or in words why that cannot be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.domain.job import JobState, Outcome
from core.domain.provenance import Provenance
from core.domain.verdict import FailureReason
from tests.sites import Site

pytestmark = pytest.mark.unit

SAME = {"image_auc": 0.5, "inference_time_ms": 3.0}


def repeated(site: Site, job_id: str, user: str = "ada", **query: Any) -> str:
    """A rerun of that job, waiting."""
    answer = site.as_(user).post(f"/jobs/{job_id}/rerun", params=query)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def told(site: Site, job_id: str, user: str = "ada") -> Any:
    answer = site.as_(user).get(f"/jobs/{job_id}/results")
    assert answer.status_code == 200, answer.text
    return answer.json()["rerun"]


def test_a_rerun_with_the_same_result_holds(site: Site) -> None:
    """Its time is another one, as always."""
    old = site.run(metrics=SAME)
    new = repeated(site, old)
    assert site.as_("ada").get(f"/jobs/{new}/results").status_code == 409, "nothing is compared before its end"
    site.complete(metrics=SAME | {"inference_time_ms": 4.0})
    found = told(site, new)
    assert (found["of"], found["holds"], found["origins"]) == (old, True, [])
    assert found["words"] == "The result holds: every metric of the benchmark is equal."
    assert [(one["name"], one["agreement"], one["difference"]) for one in found["metrics"]] == [
        ("image_auc", "equal", 0.0), ("inference_time_ms", "differs", 1.0),
    ]  # fmt: skip
    assert told(site, old) is None


def test_a_rerun_with_another_result_says_what_differs(site: Site) -> None:
    """In the metrics, and in where both come from; what was not noted of one is said so."""
    old = site.run(metrics=SAME)
    new = repeated(site, old)
    site.complete(metrics={"image_auc": 0.6})
    results = site.ports.job_status.results  # type: ignore[attr-defined]
    noted = {"libraries": {"torch": "2.14.0", "numpy": "2.4"}, "data_sha256": "1" * 64}
    tags = {"leadersboard.image_digest": "sha256:1", "leadersboard.device": "cpu"}
    results[old] = replace(results[old], provenance=Provenance(**noted), tags=tags)  # type: ignore[arg-type]
    changed = Provenance(libraries={"torch": "2.15.0", "numpy": "2.4"}, versions={"runc": "1.3.6"})
    results[new] = replace(results[new], provenance=changed, tags=tags | {"leadersboard.image_digest": "sha256:2"})
    found = told(site, new)
    assert (found["holds"], found["words"]) == (
        False, "The result does not hold. Other than before: image_auc.",
    )  # fmt: skip
    assert [(one["part"], one["old"], one["new"]) for one in found["origins"]] == [
        ("image_digest", "sha256:1", "sha256:2"), ("data_sha256", "1" * 64, None),
        ("libraries.torch", "2.14.0", "2.15.0"), ("versions", None, "noted"),
    ]  # fmt: skip


def test_without_the_first_job_that_is_said(site: Site) -> None:
    """Its record was removed, e.g. by retention."""
    old = site.run()
    new = repeated(site, old)
    site.complete()
    del site.ports.job_status._jobs[old]  # type: ignore[attr-defined]
    found = told(site, new)
    assert (found["holds"], found["metrics"]) == (None, [])
    assert "not on this site any more" in found["words"]


def test_without_a_result_on_either_side_that_is_said(site: Site) -> None:
    failed = site.post_job()
    site.ports.job_status.finish(site.claim(), Outcome(state=JobState.FAILED, reason=FailureReason.EXIT))
    good = repeated(site, failed)
    site.complete()
    assert told(site, good)["words"].endswith("is failed: it has no result to compare.")
    again = repeated(site, good)
    site.ports.job_status.finish(site.claim(), Outcome(state=JobState.FAILED, reason=FailureReason.EXIT))
    assert "did not complete" in told(site, again)["words"]
    third = repeated(site, good)
    site.complete()
    del site.ports.job_status.results[good]  # type: ignore[attr-defined]
    assert "no result is sealed" in told(site, third)["words"]


def test_trials_are_not_compared(site: Site) -> None:
    body = {"submission_id": site.upload(), "trial": True}
    trial = site.as_("ada").post("/jobs", json=body).json()["job_id"]
    site.complete()
    job = repeated(site, trial, as_job=True)
    site.complete()
    assert "was a trial" in told(site, job)["words"]
    another = repeated(site, trial)
    site.complete()
    assert "This is a trial" in told(site, another)["words"]


def test_a_job_of_another_user_is_not_shown(site: Site) -> None:
    """An admin who repeated it sees it; the words to one who may not have no figure."""
    old = site.run(metrics={"image_auc": 0.123})
    new = repeated(site, old, "root")
    site.complete()
    assert told(site, new, "root")["metrics"][0]["old"] == 0.123
    jobs = site.ports.job_status._jobs  # type: ignore[attr-defined]
    jobs[new] = replace(jobs[new], user_id="bob")
    found = told(site, new, "bob")
    assert (found["metrics"], found["origins"], "another user's" in found["words"]) == ([], [], True)


def test_without_the_benchmark_every_metric_decides(site: Site) -> None:
    old = site.run(metrics=SAME)
    new = repeated(site, old)
    site.complete(metrics=SAME | {"inference_time_ms": 4.0})
    (site.root / "benchmarks" / "synthetic" / "benchmark.yaml").unlink()
    assert told(site, new)["holds"] is False
