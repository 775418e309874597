"""GET /benchmarks/check: the condition of every benchmark, broken ones included, for admins (FLD-9)."""

from __future__ import annotations

import pytest

from tests.benchmark_sets import encoded, good_set, mask, remade, write_set
from tests.sites import Site

pytestmark = pytest.mark.unit


def test_an_admin_sees_each_fault_of_every_benchmark(site: Site) -> None:
    """A broken one is in this list alone; its pictures are read when it is named."""
    folder = write_set(site.root / "benchmarks", remade(good_set(), "ground_truth", lambda _old: encoded(mask(1))))
    admin = site.as_("root")
    shown = {item["name"]: item for item in admin.get("/benchmarks/check").json()["items"]}
    assert {name: item["condition"] for name, item in shown.items()} == {"synthetic": "faulty", "surfaces": "good"}
    (item,) = admin.get("/benchmarks/check", params={"benchmark": "surfaces"}).json()["items"]
    assert (item["condition"], item["pictures"], len(item["findings"])) == ("faulty", 12, 3)
    assert item["findings"][0]["path"] == "public/weave/ground_truth/dot/000_mask.png"
    (folder / "benchmark.yaml").write_text("name: surfaces\ntitel: x\n")
    (item,) = admin.get("/benchmarks/check", params={"benchmark": "surfaces"}).json()["items"]
    assert item["condition"] == "broken"
    assert {key: item["findings"][0][key] for key in ("path", "line", "is_note")} == {
        "path": "benchmark.yaml",
        "line": 2,
        "is_note": False,
    }
    assert "surfaces" not in [one["name"] for one in admin.get("/benchmarks").json()["items"]]


def test_a_broken_benchmark_is_a_notice_for_admins_and_words_for_users(site: Site) -> None:
    """It does not vanish: the overview says so, and a job for it is refused with what to do."""
    (write_set(site.root / "benchmarks", good_set()) / "benchmark.yaml").write_text("name: surfaces\n")
    notices = site.as_("root").get("/admin/overview").json()["notices"]
    (notice,) = [one for one in notices if one["kind"] == "benchmark"]
    assert "'surfaces' is broken" in notice["text"]
    assert "GET /benchmarks/check?benchmark=surfaces" in notice["advice"]
    submission = site.upload("ada")
    answer = site.as_("ada").post("/jobs", json={"submission_id": submission, "config": {"benchmark": "surfaces"}})
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["rule"] == "'surfaces' is being mended and takes no jobs now. Ask your admin, or use one of synthetic"


def test_it_is_for_admins_and_for_one_at_a_time(site: Site) -> None:
    assert site.as_("ada").get("/benchmarks/check").status_code == 403
    assert site.as_("root").get("/benchmarks/check", params={"benchmark": "../etc"}).status_code == 404
    checking = site.ports.benchmarks._checking
    with checking:
        answer = site.as_("root").get("/benchmarks/check")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
