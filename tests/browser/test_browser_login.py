"""Signing in with user name and password, in a real browser on the running stack (AUT-2, UI-1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Open, expected

pytestmark = pytest.mark.browser

Keep = Callable[[Page, str], None]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account, and where they sign in."""

    ui_url: str
    name: str
    password: str


@pytest.fixture
def person(stack: Any, fresh_name: str) -> Iterator[Person]:
    """A new account, which an admin adds and removes again."""
    with httpx2.Client(base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.admin_token}"}) as admin:
        added = admin.post("/users", json={"name": fresh_name}).raise_for_status().json()
        yield Person(ui_url=stack.ui_url, name=fresh_name, password=added["password"])
        admin.delete(f"/users/{fresh_name}")


def send(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.parametrize("look", [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "dark")])
def test_signing_in_with_a_password(
    person: Person, new_page: Open, complaints: list[str], screenshot: Keep, look: tuple[tuple[int, int], str]
) -> None:
    """A wrong password is told in words and keeps the name; the right one leads on; the browser holds neither."""
    page = new_page(*look)
    page.goto(person.ui_url + "/jobs")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with expected(complaints, "401"):
        send(page, person.name, "wrong")
        expect(page.get_by_role("alert")).to_contain_text("User name or password is wrong")
    expect(page.get_by_label("User name")).to_have_value(person.name)
    expect(page.get_by_label("Password")).to_be_focused()
    screenshot(page, f"login-{look[1]}-{look[0][0]}")
    send(page, person.name, person.password)
    page.wait_for_url(person.ui_url + "/jobs")
    expect(page.get_by_text(person.name)).to_be_visible()
    kept = str(page.context.cookies()) + page.evaluate("JSON.stringify([localStorage, sessionStorage])") + page.url
    assert person.password not in kept
    assert "lbs_" not in kept + page.content()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
