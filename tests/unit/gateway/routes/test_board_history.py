"""How the best score grew, over HTTP (SCO-5)."""

from __future__ import annotations

import pytest

from tests.sites import Site

pytestmark = pytest.mark.unit


def test_the_history_of_the_best_score(site: Site) -> None:
    """Everybody's jobs; a title shows; a job that is hidden afterwards never was."""
    first = site.run("ada", {"image_auc": 0.5})
    site.run("bob", {"image_auc": 0.4})
    best = site.run("bob", {"image_auc": 0.8}, n=2)
    site.as_("bob").patch(f"/jobs/{best}/entry", json={"title": "mine"})
    found = site.as_("ada").get("/leaderboard/history").json()
    assert (found["metric"], found["direction"], found["category"]) == ("image_auc", "maximize", None)
    steps = [(item["value"], item["user_id"], item["job_id"], item["title"]) for item in found["items"]]
    assert steps == [(0.5, "ada", first, ""), (0.8, "bob", best, "mine")]
    site.as_("ada").patch(f"/jobs/{first}/entry", json={"hidden": True})
    values = [item["value"] for item in site.as_("ada").get("/leaderboard/history").json()["items"]]
    assert values == [0.4, 0.8]


@pytest.mark.parametrize(("asked", "status"), [("metric=loss", 422), ("category=x", 422), ("benchmark=none", 404)])
def test_what_has_no_history_is_told(site: Site, asked: str, status: int) -> None:
    assert site.as_("ada").get(f"/leaderboard/history?{asked}").status_code == status
