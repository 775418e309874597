"""An engine below the lowest safe version: admins see it on the page that they open first, others do not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Page, expect

from core.adapters.redis.runners import RedisRunners
from core.domain.runners import HostReport
from runner.engine.advisories import old_parts
from tests.browser.acts import no_sideways_scroll
from tests.browser.conftest import Open
from tests.browser.own_site import own_site
from tests.running_gateway import Door

pytestmark = pytest.mark.browser


def test_admins_see_an_old_engine_and_what_to_do(
    tmp_path: Path,
    redis_client: redis.Redis,
    mlflow_url: str,
    new_page: Open,
    screenshot: Callable[[Page, str], None],
) -> None:
    old = old_parts({"Engine": "26.1.5+dfsg1", "runc": "1.1.15+ds1"})
    with own_site(tmp_path, mlflow_url) as site:

        def tell(page: Page) -> Page:
            RedisRunners(redis_client).publish_host(HostReport(host="e1", old=old))  # it is forgotten soon
            page.reload()
            return page

        page = tell(site.open(new_page(), "/", Door.admin_token))
        notice = page.get_by_text("For admins: something to look at").locator("..")
        for words in (
            "Engine 26.1.5+dfsg1 is older than 29.5.1",
            "runc 1.1.15+ds1",
            "ALLOW_OLD_ENGINE",
            "No job is begun",
        ):
            expect(notice).to_contain_text(words)
        assert no_sideways_scroll(page)
        screenshot(page, "admin-notice")
        page = tell(site.open(new_page(), "/"))
        expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
        expect(page.locator(".lb-board, .lb-empty").first).to_be_visible()
        assert page.get_by_text("For admins").count() == 0
