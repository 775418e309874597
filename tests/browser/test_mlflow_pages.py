"""MLflow's pages behind the sign-in, in a real browser: what works for their own, what is refused."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from core.adapters.mlflow.tracking import MlflowTracking
from tests.browser.conftest import Open
from tests.conftest import redis_url
from tests.running_gateway import Door
from tests.tracked_site import TrackedSite, tracked_site

pytestmark = pytest.mark.browser

KIND = "workflowType=machine_learning"
KNOWN = (
    "status of 404",  # MLflow asks for a user of its own sign-in, which is off; and what is refused looks like that
    "status of 403",
    "ResizeObserver",
    "Executing inline script violates",  # of a previewed file
    "script on",  # MLflow throws what it was refused
)
Keep = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mlflow_url: str) -> Iterator[TrackedSite]:
    root = tmp_path_factory.mktemp("pages")
    with tracked_site(root, redis_url(), mlflow_url, f"t{secrets.token_hex(6)}") as found:
        yield found


@pytest.fixture
def page(site: TrackedSite, new_page: Open, complaints: list[str]) -> Iterator[Page]:
    """A browser in which ann has signed in at the UI; at its end only known complaints of MLflow's own are left."""
    opened = new_page((1400, 900))
    opened.goto(f"{site.ui_url}/login")
    sign_in(opened, Door.token)
    expect(opened.locator(".lb-board, .lb-empty").first).to_be_visible()  # leaving while it is read is a complaint
    yield opened
    complaints[:] = [one for one in complaints if not any(words in one for words in KNOWN)]


def sign_in(page: Page, token: str) -> None:
    page.locator("summary").click()
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in with token").click()
    page.wait_for_url(lambda url: "/login" not in url)


def run_page(site: TrackedSite, user: str, tab: str = "") -> str:
    ref = site.jobs[user].ref
    return f"{site.pages_url}/#/experiments/{ref.experiment_id}/runs/{ref.run_id}{tab}?{KIND}"


def listed(*values: str) -> str:
    return quote(json.dumps(values, separators=(",", ":")), safe="")


def test_a_link_opens_after_the_sign_in(
    site: TrackedSite, new_page: Open, complaints: list[str], screenshot: Keep
) -> None:
    """A stranger who follows a link to a run signs in at that address and gets to that very run."""
    page = new_page((1400, 900))
    page.goto(run_page(site, "bob"))
    sign_in(page, Door.token)
    expect(page.get_by_text("Run ID")).to_be_visible(timeout=180_000)
    expect(page.get_by_text(site.jobs["bob"].ref.run_id).first).to_be_visible()
    assert site.jobs["bob"].ref.run_id in page.url
    screenshot(page, "mlflow-run")
    complaints[:] = [one for one in complaints if not any(words in one for words in KNOWN[:3])]


def test_the_uis_session_counts(site: TrackedSite, page: Page) -> None:
    """Signed in at the UI, nobody is asked again; metrics of others' runs are there."""
    page.goto(run_page(site, "bob", "/model-metrics"))
    expect(page.get_by_text("image_auc").first).to_be_visible(timeout=180_000)


def test_own_files_are_shown_and_run_nothing(site: TrackedSite, page: Page, screenshot: Keep) -> None:
    """Text, HTML and SVG of one's own job; a script in them has no effect."""
    page.goto(run_page(site, "ann", "/artifacts"))
    page.get_by_text("notes.txt", exact=True).first.click(timeout=180_000)
    expect(page.get_by_text("hello", exact=True)).to_be_visible()
    page.get_by_text("page.html", exact=True).first.click()
    expect(page.frame_locator("iframe").get_by_text("hi", exact=True)).to_be_visible()
    page.wait_for_timeout(1000)
    assert page.title() != "taken"
    screenshot(page, "mlflow-artifacts")


def test_files_of_others_are_refused_in_words(site: TrackedSite, page: Page, complaints: list[str]) -> None:
    """MLflow's page can fall over by itself while it loads ("Something went wrong"); then it is loaded again."""
    page.goto(run_page(site, "bob", "/artifacts"))
    refused, fallen = page.get_by_text("that you can see"), page.get_by_text("Something went wrong")
    for _again in range(3):
        expect(refused.or_(fallen)).to_be_visible(timeout=180_000)
        if refused.is_visible():
            break
        complaints.clear()
        page.reload()
    expect(refused).to_be_visible()
    assert page.get_by_text("notes.txt").count() == 0


def test_a_file_opened_by_its_address_is_only_kept(site: TrackedSite, page: Page) -> None:
    """HTML and SVG never become a page of that origin: the browser downloads them."""
    run_id = site.jobs["ann"].ref.run_id
    page.goto(site.pages_url)
    for name in ("page.html", "drawing.svg"):
        with page.expect_download() as download:
            page.evaluate(f"() => {{ location.href = '/get-artifact?path={name}&run_uuid={run_id}' }}")
        assert download.value.suggested_filename == name


def test_runs_are_charted_and_compared(site: TrackedSite, page: Page, screenshot: Keep) -> None:
    """The experiment's charts, the comparison with its drawing, one metric of several runs."""
    experiment = site.jobs["ann"].ref.experiment_id
    ids = listed(*(recorded.ref.run_id for recorded in site.jobs.values()))
    page.goto(f"{site.pages_url}/#/experiments/{experiment}/runs?{KIND}&compareRunsMode=CHART")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=180_000)
    screenshot(page, "mlflow-charts")
    page.goto(f"{site.pages_url}/#/compare-runs?runs={ids}&experiments={listed(experiment)}")
    expect(page.get_by_text("Comparing 2 Runs")).to_be_visible(timeout=180_000)
    expect(page.locator(".parcoords, .js-plotly-plot").first).to_be_visible(timeout=180_000)
    assert page.get_by_text("WebGL is not").count() == 0
    screenshot(page, "mlflow-compare")
    metric = f"metric={quote(json.dumps('image_auc'))}&plot_metric_keys={listed('image_auc')}&plot_layout={{}}"
    page.goto(f"{site.pages_url}/#/metric?runs={ids}&experiments={listed(experiment)}&{metric}")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=180_000)


def test_a_renamed_run_keeps_its_name(site: TrackedSite, page: Page, mlflow_url: str) -> None:
    """The page's own button, and calls from the page's own origin: told that nothing was changed, and nothing is."""
    ref = site.jobs["ann"].ref
    with closing(MlflowTracking(mlflow_url)) as tracking:
        before = tracking.get_run(ref.run_id)
        page.goto(run_page(site, "ann"))
        expect(page.get_by_text("Run ID")).to_be_visible(timeout=180_000)
        page.get_by_test_id("overflow-menu-trigger").click()
        page.get_by_text("Rename", exact=True).click()
        page.get_by_placeholder("Input a run name").fill("taken")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("nothing was changed")).to_be_visible()
        for name, body in (
            ("runs/log-metric", {"run_id": ref.run_id, "key": "image_auc", "value": 1, "timestamp": 1, "step": 9}),
            ("runs/delete", {"run_id": ref.run_id}),
        ):
            status = page.evaluate(
                "([name, body]) => fetch('/ajax-api/2.0/mlflow/' + name, {method: 'POST', body: JSON.stringify(body), "
                "headers: {'Content-Type': 'application/json'}}).then(answer => answer.status)",
                [name, body],
            )
            assert status == 403
        page.reload()
        expect(page.get_by_text("Run ID")).to_be_visible(timeout=180_000)
        assert page.get_by_text("taken", exact=True).count() == 0
        assert tracking.get_run(ref.run_id) == before
