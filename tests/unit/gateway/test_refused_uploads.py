"""Refused uploads count in an hour of their own; over it nothing of a body is read (DOR-2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import StorageFull
from core.settings import Settings
from gateway.app import create_app
from tests.builders import MAIN, ports
from tests.unit.gateway.app_site import Site
from tests.unit.gateway.forms import END, FORM, HEAD, part

pytestmark = pytest.mark.unit

GOOD = HEAD + MAIN + END
BAD = part("files", b"no zip", "a.zip") + b"--B--\r\n"


@pytest.fixture
def strict(settings: Settings, tmp_path: Path) -> Site:
    """Two stored and three refused uploads in an hour."""
    app = create_app(settings.model_copy(update={"max_uploads_per_hour": 2, "max_refused_uploads_per_hour": 3}))
    app.state.ports = ports(tmp_path / "strict")
    return Site(app=app, ports=app.state.ports, root=tmp_path / "strict")


def test_over_the_limit_nothing_is_read(strict: Site) -> None:
    """429 with Retry-After and a sentence, also for an upload that would be good; other users are not concerned."""
    for _time in range(3):
        assert strict.send("/submissions", [BAD], headers=FORM).status == 422
    answer = strict.send("/submissions", [GOOD], headers=FORM)
    assert (answer.status, answer.json()["code"], answer.chunks_read) == (429, "limit_reached", 0)
    assert "were refused or broke off" in answer.json()["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 3601
    assert strict.as_("bob").post("/submissions", content=GOOD, headers=FORM).status_code == 201


def test_what_breaks_off_counts_as_refused(strict: Site) -> None:
    """Half a body costs as much as a bad one."""
    for _time in range(3):
        assert strict.send("/submissions", [HEAD, b"x" * 1000], headers=FORM, breaks_off=True).status == 422
    assert strict.send("/submissions", [GOOD], headers=FORM).status == 429


def test_stored_uploads_take_nothing_of_it_and_refused_ones_nothing_of_theirs(strict: Site) -> None:
    """Two hours, side by side."""
    for body, status in ((GOOD, 201), (BAD, 422), (GOOD, 201), (GOOD, 429), (GOOD, 429)):
        assert strict.send("/submissions", [body], headers=FORM).status == status
    detail = strict.send("/submissions", [BAD], headers=FORM).json()["detail"]
    assert "uploaded 2 submissions" in detail


def test_a_full_disk_counts_nowhere(strict: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the platform failed is nobody's refused upload."""

    def full(*_arguments: object) -> None:
        raise StorageFull("full")

    with monkeypatch.context() as patched:
        patched.setattr(type(strict.ports.storage), "create_submission", full)
        for _time in range(5):
            assert strict.send("/submissions", [GOOD], headers=FORM).status == 507
    assert strict.send("/submissions", [GOOD], headers=FORM).status == 201
