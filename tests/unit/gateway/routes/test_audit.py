"""The audit trail over HTTP (DOR-7): read by admins, changed by no call."""

from __future__ import annotations

import pytest

from core.ports.audit import AuditFilter
from tests.sites import Site

pytestmark = pytest.mark.unit


ALL = AuditFilter()


def test_the_trail_is_read_by_admins_a_page_at_a_time(site: Site) -> None:
    root = site.as_("root")
    for number in range(5):
        root.delete(f"/users/user{number}")
    first = root.get("/admin/audit", params={"limit": 2, "action": "account.remove"}).json()
    assert [one["target"] for one in first["items"]] == ["user4", "user3"]
    rest = root.get("/admin/audit", params={"action": "account.remove", "cursor": first["next_cursor"]}).json()
    assert [one["target"] for one in rest["items"]] == ["user2", "user1", "user0"]
    assert (rest["next_cursor"], rest["displaced"], rest["kept_days"]) == (None, 0, 90)
    found = root.get("/admin/audit", params={"target": "user3", "actor": "root"}).json()["items"]
    assert [(one["status"], one["outcome"], one["target_kind"]) for one in found] == [(404, "refused", "user")]
    assert root.get("/admin/audit", params={"actor": "eve"}).json()["items"] == []
    assert site.as_("ada").get("/admin/audit").status_code == 403
    assert site.as_(None).get("/admin/audit").status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x", "cursor=1-1-1", "cursor=%2B", "cursor=(1-1", "cursor=99999999999999999999-0", "cursor=-",
        "cursor=0-0", "actor=%C3%A9", "target=%E2%80%AE",
        "cursor=1-1%0A",
        "action=moon.land", "limit=0", "limit=201", "limit=x", "target=" + "x" * 201, "actor=" + "x" * 65,
    ],
)  # fmt: skip
def test_a_question_of_another_form_is_refused(site: Site, query: str) -> None:
    assert site.as_("root").get(f"/admin/audit?{query}").status_code == 422


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_call_changes_the_trail(site: Site, method: str) -> None:
    site.as_("root").delete("/users/carl")
    before = site.ports.audit.page(ALL).entries
    for path in ("/admin/audit", f"/admin/audit/{before[0].entry_id}"):
        assert site.as_("root").request(method, path).status_code in {404, 405}
    assert site.ports.audit.page(ALL).entries == before
