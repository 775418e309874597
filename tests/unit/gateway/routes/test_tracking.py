"""MLflow through the gateway: who reads which run's files, and that nothing of a request goes on as it came."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.live import known_runs
from tests.sites import Site
from tests.twins.tracking_reads import MemoryTrackingReads

pytestmark = pytest.mark.unit


API = "/mlflow/ajax-api/2.0/mlflow"


@pytest.fixture(autouse=True)
def reads(site: Site, monkeypatch: pytest.MonkeyPatch) -> MemoryTrackingReads:
    """What MLflow answers now; nothing is remembered from one call to the next."""
    monkeypatch.setattr(known_runs, "SECONDS", 0.0)
    return site.reads


def run_of(site: Site, job_id: str) -> str:
    found = site.ports.job_status.get(job_id).run_id
    assert found is not None
    return found


def files(site: Site, user: str, run_id: str) -> int:
    """The status of reading one of a run's files."""
    return site.as_(user).get("/mlflow/get-artifact", params={"path": "a.txt", "run_uuid": run_id}).status_code


def test_metrics_are_everybodys_and_files_their_owners(site: Site, reads: MemoryTrackingReads) -> None:
    """DOR-4, JOB-10: a run's page is for every user, its files for its owner and admins; the rest gets 404."""
    run_id = run_of(site, site.run("ada"))
    for user in ("ada", "bob", "root"):
        assert site.as_(user).get(f"{API}/runs/get", params={"run_id": run_id}).status_code == 200
    assert [files(site, user, run_id) for user in ("ada", "root", "bob")] == [200, 200, 404]
    stored = f"/mlflow/api/2.0/mlflow-artifacts/artifacts/synthetic/{run_id}/artifacts/a.txt"
    assert site.as_("bob").get(stored).status_code == 404
    listing = {"run_id": run_id}
    assert site.as_("ada").get(f"{API}/artifacts/list", params=listing).status_code == 200
    assert site.as_("bob").get(f"{API}/artifacts/list", params=listing).status_code == 404


def test_somebody_elses_files_look_like_none(site: Site) -> None:
    """The same words for a run of another user and for a run that does not exist."""
    run_id = run_of(site, site.run("ada"))
    answers = []
    for asked in (run_id, "f" * 32):
        answer = site.as_("bob").get("/mlflow/get-artifact", params={"path": "a.txt", "run_uuid": asked})
        body = answer.json()
        answers.append((answer.status_code, body["detail"].replace(asked, "RUN"), body["error_code"]))
    assert answers[0] == answers[1]


def test_a_forged_tag_opens_nothing(site: Site, reads: MemoryTrackingReads) -> None:
    """The tag that names a run's job is a hint: the ledger must say that this job has this run."""
    theirs, own_job = run_of(site, site.run("ada")), site.run("bob")
    reads.tags[theirs] = own_job
    assert files(site, "bob", theirs) == 404
    reads.tags[theirs] = "0" * 32
    assert files(site, "ada", theirs) == 404


def test_a_setting_opens_files_to_all(tmp_path: Path) -> None:
    """TRACKING_ARTIFACTS=all."""
    with closing(Site(tmp_path, tracking_artifacts="all")) as site:
        run_id = run_of(site, site.run("ada"))
        assert files(site, "bob", run_id) == 200
        assert files(site, "bob", "f" * 32) == 404


def test_experiments_of_no_board_are_not_there(site: Site, reads: MemoryTrackingReads) -> None:
    """What others record on the same server is for admins."""
    listed = {"experiments": [{"experiment_id": "synthetic"}, {"experiment_id": "9"}], "next_page_token": "t"}
    reads.answers["/ajax-api/2.0/mlflow/experiments/search"] = listed
    found = site.as_("ada").get(f"{API}/experiments/search").json()
    assert [one["name"] for one in found["experiments"]] == ["synthetic"]
    assert list(found) == ["experiments"]
    assert site.as_("root").get(f"{API}/experiments/search").json() == listed
    assert site.as_("ada").get(f"{API}/experiments/get", params={"experiment_id": "9"}).status_code == 404
    assert site.as_("ada").post(f"{API}/runs/search", json={"experiment_ids": ["9"]}).status_code == 404
    assert site.as_("root").post(f"{API}/runs/search", json={"experiment_ids": ["9"]}).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": "tags.owner = 'bob'"},
        {"filter": "name ILIKE '%secret%'", "order_by": ["creation_time DESC"]},
        {"order_by": ["last_update_time"]},
        {"view_type": "DELETED_ONLY"},
        {"page_token": "eyJvZmZzZXQiOiAyfQ=="},
        {"max_results": 1},
    ],
)
def test_no_search_of_a_user_reaches_the_experiments_of_others(
    site: Site, reads: MemoryTrackingReads, asked: dict[str, Any]
) -> None:
    """Whether a search finds some of them shows in its order, its length and its next page: it is answered here."""
    ada = site.as_("ada")
    ada.post(f"{API}/experiments/search", json=asked)
    ada.get(f"{API}/experiments/search", params=asked)
    assert reads.calls == []
    site.as_("root").post(f"{API}/experiments/search", json=asked)
    assert len(reads.calls) == 1


@pytest.mark.slow
@pytest.mark.parametrize("user", ["ada", "root"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes(site: Site, reads: MemoryTrackingReads, user: str, method: str) -> None:
    """Admins neither; refused in words that MLflow's pages show, and MLflow hears nothing of it."""
    answer = site.as_(user).request(method, f"{API}/runs/log-metric", json={"run_id": "a" * 32})
    assert answer.status_code == 403
    assert "can only be read here" in answer.json()["message"]
    assert answer.json()["error_code"] == "PERMISSION_DENIED"
    assert reads.calls == []


@pytest.mark.parametrize(
    "headers",
    [{"X-HTTP-Method-Override": "DELETE"}, {"X-Method-Override": "POST"}, {"X-Forwarded-For": "127.0.0.1"}],
)
def test_headers_change_nothing(site: Site, reads: MemoryTrackingReads, headers: Mapping[str, str]) -> None:
    """A call has no headers of its sender at all."""
    assert site.as_("ada").get("/mlflow/", headers=dict(headers)).status_code == 200
    assert [(call.method, call.path) for call in reads.calls] == [("GET", "/")]


@pytest.mark.parametrize(
    "address",
    [
        "/mlflow/%2e%2e/admin/overview", "/mlflow//ajax-api/2.0/mlflow/runs/get", "/mlflow/ajax-api%2f2.0%2f..%2fx",
        "/mlflow/static-files/%2e%2e/%2e%2e/etc/passwd", "/mlflow/http://127.0.0.1/x", "/mlflow/;/x",
    ],
)  # fmt: skip
def test_no_spelling_of_an_address_leads_elsewhere(site: Site, reads: MemoryTrackingReads, address: str) -> None:
    assert site.as_("ada").get(address).status_code in {404, 422}
    assert reads.calls == []


def test_an_encoded_address_is_the_decoded_one(site: Site, reads: MemoryTrackingReads) -> None:
    """It is read once, here; what MLflow gets is spelled by us."""
    assert (
        site.as_("root").get("/mlflow/ajax-api/2.0/mlflow/%72uns/get", params={"run_id": "a" * 32}).status_code == 200
    )
    assert [call.path for call in reads.calls] == ["/ajax-api/2.0/mlflow/runs/get"]


def test_what_is_never_recorded_is_answered_without_mlflow(site: Site, reads: MemoryTrackingReads) -> None:
    """Its assistant above all, whose API can run commands."""
    assert site.as_("ada").get("/mlflow/ajax-api/3.0/mlflow/assistant/providers").json() == {"providers": []}
    assert site.as_("ada").post("/mlflow/ajax-api/3.0/mlflow/traces/search", json={"x": 1}).json() == {}
    assert reads.calls == []


def test_files_cannot_be_pages_or_scripts(site: Site, reads: MemoryTrackingReads) -> None:
    """An artifact is for keeping: sandboxed, not sniffed, never of a kind that a page would run."""
    run_id = run_of(site, site.run("ada"))
    answer = site.as_("ada").get("/mlflow/get-artifact", params={"path": "x/é.html", "run_uuid": run_id})
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment;")
    page = site.as_("ada").get("/mlflow/").headers
    assert "'unsafe-inline'" not in page["content-security-policy"].partition("style-src")[0]
    assert "http" not in page["content-security-policy"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "told",
    [
        "text/html", "application/xhtml+xml", "image/svg+xml", "IMAGE/SVG+XML; charset=utf-8", "text/xml",
        "application/xml", "application/rss+xml", "image/x+xml", "text/javascript", "application/javascript",
        "text/css", "text/vbscript", "application/wasm", "multipart/x-mixed-replace; boundary=a", "message/rfc822",
        "text/xsl", "application/x-shockwave-flash", "application/octet-stream", "*/*", "", "image/png, text/html",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["get-artifact", "ajax-api/2.0/mlflow/runs/get"])
@pytest.mark.parametrize("status", [200, 404])
def test_nothing_that_a_browser_would_run_is_told_to_be_so(
    site: Site, reads: MemoryTrackingReads, told: str, path: str, status: int
) -> None:
    """Neither a file, whatever MLflow takes it for, nor an answer of MLflow's, nor its errors."""
    run_id = run_of(site, site.run("ada"))
    reads.media_type, reads.status = told, status
    query = {"path": "x", "run_uuid": run_id} if path == "get-artifact" else {"run_id": run_id}
    answer = site.as_("ada").get(f"/mlflow/{path}", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pictures_stay_pictures(site: Site, reads: MemoryTrackingReads) -> None:
    run_id = run_of(site, site.run("ada"))
    for told, kind in (("image/png", "image/png"), ("text/csv; charset=latin-1", "text/csv; charset=utf-8")):
        reads.media_type = told
        answer = site.as_("ada").get("/mlflow/get-artifact", params={"path": "x", "run_uuid": run_id})
        assert answer.headers["content-type"] == kind


def test_mlflow_away_is_told(site: Site) -> None:
    tracking: Any = site.ports.tracking
    tracking.away = True
    answer = site.as_("ada").get("/mlflow/")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "Retry-After" in answer.headers
