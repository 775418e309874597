"""A run's files over HTTP (JOB-7): listed, sent through us, harmless to whoever opens them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from gateway.routes.artifacts import disposition
from tests.odd_names import ODD_NAMES
from tests.sites import Site, bearer

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out" / "curves").mkdir(parents=True)
    for name, raw in {"curves/roc é.png": b"png", "page.html": b"<script>", "x.svg": b"<svg/>", "a.TXT": b"hi"}.items():
        (tmp_path / "out" / name).write_bytes(raw)
    return tmp_path / "out"


def test_results_and_list_name_every_file(site: Site, folder: Path) -> None:
    """JOB-7: metrics, links that open that very run, and the files with their sizes."""
    client = site.as_("ada")
    job_id = site.post_job()
    assert client.get(f"/jobs/{job_id}/artifacts").json()["code"] == "not_finished"
    assert client.get(f"/jobs/{job_id}/artifacts/a.TXT").json()["code"] == "not_finished"
    run_id = site.complete(folder, {"image_auc": 0.75})
    listed = client.get(f"/jobs/{job_id}/artifacts").json()
    results = client.get(f"/jobs/{job_id}/results").json()
    assert {item["path"]: item["size_bytes"] for item in listed["items"]} == {
        "curves/roc é.png": 3, "page.html": 8, "x.svg": 6, "a.TXT": 2,
    }  # fmt: skip
    assert results["artifacts"] == listed["items"]
    assert results["metrics"]["image_auc"] == 0.75
    assert (
        results["mlflow_ui_url"]
        == f"http://mlflow.example/#/experiments/synthetic/runs/{run_id}?workflowType=machine_learning"
    )
    assert results["mlflow_api_url"] == f"http://mlflow.example/api/2.0/mlflow/runs/get?run_id={run_id}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "kind", "how"),
    [
        ("curves/roc é.png", "image/png", "inline"),
        ("a.TXT", "text/plain; charset=utf-8", "inline"),
        ("page.html", "application/octet-stream", "attachment"),
        ("x.svg", "application/octet-stream", "attachment"),
    ],
)
def test_only_harmless_kinds_are_shown(site: Site, folder: Path, path: str, kind: str, how: str) -> None:
    """LOG-4: nothing that a run wrote can act as a page of ours."""
    client = site.as_("ada")
    job_id = site.post_job()
    site.complete(folder)
    answer = client.get(f"/jobs/{job_id}/artifacts/{path}")
    assert answer.status_code == 200
    assert answer.content == (folder / path).read_bytes()
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith(f"{how}; ")
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    "path", ["%2e%2e/secret", "curves/%2e%2e/%2e%2e/secret", "%2Fetc%2Fpasswd", "", "curves//x", "x" * 256]
)
def test_a_path_outside_is_refused(site: Site, folder: Path, path: str) -> None:
    """JOB-7: no name leads out of the run's folder."""
    (folder.parent / "secret").write_text("s3cret")
    client = site.as_("ada")
    job_id = site.post_job()
    site.complete(folder)
    answer = client.get(f"/jobs/{job_id}/artifacts/{path}")
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["errors"]} == {"path"}


def test_what_is_not_there_is_not_found(site: Site, folder: Path) -> None:
    """A file, and every file of a job that ended without a run; an admin sees those of all."""
    client = site.as_("ada")
    job_id, without = site.post_job(), site.post_job()
    site.complete(folder)
    client.post(f"/jobs/{without}/cancel")
    assert client.get(f"/jobs/{job_id}/artifacts/nothing.png").status_code == 404
    assert client.get(f"/jobs/{without}/artifacts/a.TXT").status_code == 404
    assert client.get(f"/jobs/{without}/artifacts").json()["items"] == []
    assert client.get(f"/jobs/{job_id}/artifacts/a.TXT", headers=bearer("root")).status_code == 200


def test_no_name_breaks_the_header() -> None:
    """RFC 6266: quotes, line ends and other scripts reach nobody as they are."""
    told = disposition('a"b;\r\nSet-Cookie: x é.png', inline=False)
    assert told.isascii()
    assert told == (
        'attachment; filename="a_b___Set-Cookie__x__.png"; '
        "filename*=UTF-8''a%22b%3B%0D%0ASet-Cookie%3A%20x%20%C3%A9.png"
    )


def test_every_listed_name_is_fetched_under_it(site: Site, tmp_path: Path) -> None:
    """FLD-7: whatever script or sign; the browser saves it under the same name."""
    out = tmp_path / "out"
    for name in ODD_NAMES:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(name)
    job_id = site.post_job()
    site.complete(out)
    with site.served() as client:
        listed = [item["path"] for item in client.get(f"/jobs/{job_id}/artifacts").json()["items"]]
        assert set(listed) == set(ODD_NAMES)
        for name in listed:
            answer = client.get(f"/jobs/{job_id}/artifacts/{quote(name)}")
            assert (answer.status_code, answer.text) == (200, name)
            told = answer.headers["content-disposition"].partition("filename*=UTF-8''")[2]
            assert unquote(told) == name.rpartition("/")[2]


def test_a_cut_list_says_how_long_it_is(site: Site, tmp_path: Path) -> None:
    """FLD-7: a run with 1,725 maps shows its curves, and its other files can be fetched by their names."""
    out = tmp_path / "out"
    (out / "maps").mkdir(parents=True)
    for number in range(1725):
        (out / "maps" / f"{number:04}.png").touch()
    (out / "roc.png").touch()
    client = site.as_("ada")
    job_id = site.post_job()
    site.complete(out)
    found = client.get(f"/jobs/{job_id}/artifacts").json()
    results = client.get(f"/jobs/{job_id}/results").json()
    assert (len(found["items"]), found["total"], results["artifacts_total"]) == (1000, 1726, 1726)
    assert found["items"][0]["path"] == "roc.png"
    assert results["artifacts"] == found["items"]
    assert client.get(f"/jobs/{job_id}/artifacts/maps/1724.png").status_code == 200
