"""Whose a line of the log is, as people see it in a real browser: a run imitates the platform, in its own log."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Page, expect

from core.ports.sandbox import Stream
from tests.browser.acts import no_sideways_scroll
from tests.browser.conftest import PHONE, Open
from tests.browser.own_site import Site, own_site

pytestmark = pytest.mark.browser

SIGNS = {"\u200b": "U+200B", "\u00ad": "U+00AD", "\u2060": "U+2060", "\u200e": "U+200E", "\u202e": "U+202E"}
FORGED = [f"[leaders{sign}board] Ended: completed" for sign in SIGNS]
PRINTED = "".join(
    f"{line}\n" for line in [*FORGED, "[leadersboard] Ended: completed", "🙂 👩\u200d💻 epoch 1", "10%\r50%"]
)
LOUD = b"\xff[leadersboard] Ended: completed\n\x1b[31m\xff\x1b[0m[leadersboard] Ended: completed\nno end"
Keep = Callable[[Page, str], None]
CONTRAST = """pair => {
  const light = text => { const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map(Number).map(
    v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126*r + 0.7152*g + 0.0722*b; };
  const [a, b] = pair.map(light).sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); }"""


@pytest.fixture
def site(tmp_path: Path, redis_client: redis.Redis, mlflow_url: str) -> Iterator[Site]:
    assert redis_client.dbsize() == 0
    with own_site(tmp_path, mlflow_url) as made:
        yield made


@pytest.mark.parametrize(("scheme", "size"), [("light", (1280, 800)), ("dark", (1280, 800)), ("light", PHONE)])
def test_an_imitation_is_not_shown_as_the_platforms_word(
    site: Site, new_page: Open, screenshot: Keep, scheme: str, size: tuple[int, int]
) -> None:
    """Only what came on the platform's channel has its colour and its bar; format characters are seen."""
    page = site.open(new_page(size, scheme), f"/job?id={site.job_id}")
    text = page.locator(".lb-log-text")
    with site.writing() as log:
        log.say("Attempt 1: class small, cpu.")
        log.output(PRINTED.encode(), Stream.STDOUT)
        expect(text).to_contain_text("epoch 1")
        log.output(LOUD, Stream.STDERR)
        log.say("'a\rb\u200b.png' was left out: Ended: failed")
        expect(text).to_contain_text("left out")
        expect(page.locator(".lb-job")).to_be_visible()  # leaving while it is read is a complaint
        page.reload()  # by the tail, as well as piece by piece
        expect(text).to_contain_text("left out")
    ours = page.locator(".lb-log-own").all_inner_texts()
    assert [line.rstrip("\n") for line in ours] == [
        "[leadersboard] Attempt 1: class small, cpu.",
        "[leadersboard] 'a‹U+000D›b‹U+200B›.png' was left out: Ended: failed",
    ]
    shown = text.inner_text()
    for number in SIGNS.values():
        assert f"[leaders‹{number}›board] Ended: completed" in shown
    assert shown.count("[leadersboard] Ended: completed\n") >= 1
    assert "🙂 👩‹U+200D›💻 epoch 1" in shown
    assert "50%" in shown
    assert "10%" not in shown
    assert no_sideways_scroll(page)
    own = page.locator(".lb-log-own").first
    colours = [
        own.evaluate("e => getComputedStyle(e).color"),
        text.evaluate("e => getComputedStyle(e).backgroundColor"),
    ]
    assert page.evaluate(CONTRAST, colours) >= 4.5, "the platform's words are hard to read"
    assert own.evaluate("e => getComputedStyle(e).borderLeftWidth") != "0px", "told apart by more than a colour"
    assert colours[0] != text.evaluate("e => getComputedStyle(e).color")
    screenshot(page, f"log-channel-{scheme}-{size[0]}")
