"""What owners and admins do with entries, over HTTP (SCO-5)."""

from __future__ import annotations

from typing import Any

import pytest

from core.ports.audit import AuditFilter
from tests.sites import Site

pytestmark = pytest.mark.unit


def rows(site: Site, user: str = "ada", entries: str = "all") -> list[tuple[Any, ...]]:
    items = site.as_(user).get("/leaderboard", params={"entries": entries}).json()["items"]
    return [(item["rank"], item["user_id"], item["value"], item["unranked_because"]) for item in items]


def test_an_owner_names_an_entry_and_everybody_reads_it(site: Site) -> None:
    """On the board at once, cleaned; a field that is left out stays."""
    job_id = site.run("ada")
    assert site.as_("bob").get("/leaderboard").json()["items"][0]["title"] == ""
    path = f"/jobs/{job_id}/entry"
    answer = site.as_("ada").patch(path, json={"title": " My\n title\u200b ", "note": "<b>"})
    assert answer.json() == site.as_("ada").get(path).json()
    site.as_("ada").patch(path, json={"hidden": False})
    item = site.as_("bob").get("/leaderboard").json()["items"][0]
    assert (item["title"], item["note"]) == ("My title‹U+200B›", "<b>")
    site.as_("ada").patch(path, json={"note": ""})
    assert site.as_("ada").get(path).json()["note"] == ""


def test_a_hidden_entry_leaves_the_board_and_comes_back(site: Site) -> None:
    """The ranks of others close up; its owner's next best is shown; nothing is lost."""
    first = site.run("ada", {"image_auc": 0.9}, n=1)
    site.run("bob", {"image_auc": 0.8})
    site.run("ada", {"image_auc": 0.7}, n=2)
    before = rows(site), rows(site, entries="best")
    site.as_("ada").patch(f"/jobs/{first}/entry", json={"hidden": True})
    for user in ("ada", "bob", "root"):
        assert rows(site, user) == [(1, "bob", 0.8, None), (2, "ada", 0.7, None)]
    assert rows(site, entries="best") == [(1, "bob", 0.8, None), (2, "ada", 0.7, None)]
    assert site.as_("ada").get(f"/jobs/{first}/results").json()["metrics"] == {"image_auc": 0.9}
    site.as_("ada").patch(f"/jobs/{first}/entry", json={"hidden": False})
    assert (rows(site), rows(site, entries="best")) == before


def test_a_disqualified_entry_is_last_with_its_reason_until_it_is_restored(site: Site) -> None:
    """Also where its owner hides it; after what cannot be ranked for its value; both acts are in the audit trail."""
    best = site.run("ada", {"image_auc": 0.9}, n=1)
    site.run("bob", {"image_auc": 0.8})
    site.run("bob", {"image_auc": 7.0}, n=2)
    site.as_("ada").patch(f"/jobs/{best}/entry", json={"hidden": True})
    admin = site.as_("root")
    answer = admin.post(f"/admin/entries/{best}/disqualify", json={"reason": "It read the labels."})
    assert answer.json()["disqualified_because"] == "It read the labels."
    reason = "disqualified: It read the labels."
    out_of_bounds = "image_auc 7 is out of 0..1 (percent? write 0.07)"
    assert rows(site, "bob") == [
        (1, "bob", 0.8, None), (None, "bob", None, out_of_bounds), (None, "ada", None, reason),
    ]  # fmt: skip
    assert rows(site, entries="best") == [(1, "bob", 0.8, None), (None, "ada", None, reason)]
    assert "It read the labels." in site.as_("bob").get("/leaderboard/export").text
    site.as_("ada").patch(f"/jobs/{best}/entry", json={"hidden": False})
    admin.post(f"/admin/entries/{best}/restore", json={"reason": "It did not."})
    assert rows(site, entries="best")[0] == (1, "ada", 0.9, None)
    assert admin.post(f"/admin/entries/{best}/restore", json={"reason": "again"}).status_code == 409
    acts = [entry.act for entry in site.ports.audit.page(AuditFilter(target=best)).entries]
    told = [(str(act.action), act.target, act.details) for act in acts if act.action.startswith("entry.")]
    assert told[::-1][:2] == [
        ("entry.disqualify", best, {"reason": "It read the labels."}),
        ("entry.restore", best, {"reason": "It did not."}),
    ]


def test_admins_pin_a_baseline(site: Site) -> None:
    """It keeps its value and its place, and takes no rank away; unpinned it ranks again; the trail has both."""
    best = site.run("ada", {"image_auc": 0.9})
    site.run("bob", {"image_auc": 0.8})
    path = f"/admin/entries/{best}/baseline"
    assert site.as_("ada").post(path).status_code == 403
    assert site.as_("root").post(path).json()["baseline"] is True
    assert rows(site) == [(None, "ada", 0.9, None), (1, "bob", 0.8, None)]
    assert site.as_("bob").get("/leaderboard").json()["items"][0]["baseline"] is True
    assert ",baseline," in site.as_("bob").get("/leaderboard/export").text
    assert site.as_("root").delete(path).json()["baseline"] is False
    assert rows(site)[0] == (1, "ada", 0.9, None)
    acts = [str(entry.act.action) for entry in site.ports.audit.page(AuditFilter(target=best)).entries]
    assert acts == ["entry.no_baseline", "entry.baseline"]


def test_of_a_user_s_disqualified_entries_the_newest_is_shown(site: Site) -> None:
    """On a board of best entries; on one of all entries every one."""
    jobs = [site.run("ada", {"image_auc": 0.9}, n=number) for number in range(3)]
    for number, job_id in enumerate(jobs):
        site.as_("root").post(f"/admin/entries/{job_id}/disqualify", json={"reason": f"no {number}"})
    assert [row[3] for row in rows(site, entries="best")] == ["disqualified: no 2"]
    assert [row[3] for row in rows(site)] == ["disqualified: no 2", "disqualified: no 1", "disqualified: no 0"]


def test_others_entries_cannot_be_changed(site: Site) -> None:
    """Not by other users; by an admin, which the trail then says, with the words."""
    job_id = site.run("ada")
    path = f"/jobs/{job_id}/entry"
    assert site.as_("bob").get(path).status_code == 404
    assert site.as_("bob").patch(path, json={"hidden": True}).status_code == 404
    assert site.as_("ada").post(f"/admin/entries/{job_id}/disqualify", json={"reason": "x"}).status_code == 403
    site.as_("root").patch(path, json={"title": "no swearing here"})
    entry = site.ports.audit.page(AuditFilter(target=job_id)).entries[0].act
    assert (str(entry.action), entry.owner, entry.details) == ("entry.change", "ada", {"title": "no swearing here"})


def test_what_is_on_no_board_has_no_entry(site: Site) -> None:
    """A job that waits, and a trial."""
    waiting = site.post_job("ada")
    for answer in (
        site.as_("ada").get(f"/jobs/{waiting}/entry"),
        site.as_("ada").patch(f"/jobs/{waiting}/entry", json={"title": "t"}),
        site.as_("root").post(f"/admin/entries/{waiting}/disqualify", json={"reason": "x"}),
    ):
        assert (answer.status_code, "on no board" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 101},
        {"note": "x" * 301},
        {"title": "x" * 2000},
        {"title": 1},
        {"hidden": "perhaps"},
        {"rank": 1},
        {"disqualified_because": ""},
    ],
)
def test_what_cannot_be_said_is_refused(site: Site, change: dict[str, Any]) -> None:
    job_id = site.run("ada")
    assert site.as_("ada").patch(f"/jobs/{job_id}/entry", json=change).status_code == 422
    assert site.ports.entry_marks.of_benchmark("synthetic") == {}


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 301])
def test_a_decision_needs_a_reason(site: Site, reason: str) -> None:
    job_id = site.run("ada")
    for act in ("disqualify", "restore"):
        answer = site.as_("root").post(f"/admin/entries/{job_id}/{act}", json={"reason": reason})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")
