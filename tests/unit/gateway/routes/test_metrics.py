"""Figures for Prometheus: per route template, bounded in number."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from core.domain.errors import Unavailable
from core.settings import Settings
from gateway.app import create_app
from tests.sites import Site, bearer

pytestmark = pytest.mark.unit


ADMIN = bearer("root")


USER = bearer("ada")


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.as_(None)


def samples(client: TestClient, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    text = client.get("/metrics", headers=ADMIN).text
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {tuple(sorted(sample.labels.items())): sample.value for sample in found if sample.name == name}


def test_requests_are_counted_and_timed_by_method_template_and_status(client: TestClient) -> None:
    client.get("/health/live")
    client.get("/health/live")
    counts = samples(client, "leadersboard_http_requests_total")
    assert counts[("method", "GET"), ("route", "/health/live"), ("status", "200")] == 2
    timed = samples(client, "leadersboard_http_request_duration_seconds_count")
    assert timed[("method", "GET"), ("route", "/health/live")] == 2


@pytest.mark.slow
def test_what_a_sender_makes_up_is_one_label(client: TestClient) -> None:
    """A thousand addresses and methods that are not ours take one more row, not a thousand."""
    before = len(samples(client, "leadersboard_http_requests_total"))
    for number in range(100):
        client.request(f"EVIL{number}", f"/made/up/{number}")
        client.get(f"/jobs/{number}/status/{number}")
    assert len(samples(client, "leadersboard_http_requests_total")) <= before + 3


def test_requests_in_hand_and_upload_bytes_have_figures(client: TestClient) -> None:
    assert samples(client, "leadersboard_http_requests_in_flight") == {(): 1}
    client.post("/submissions", headers={**USER, "Content-Type": "multipart/form-data; boundary=x"}, content=b"y" * 99)
    assert samples(client, "leadersboard_upload_bytes_total")[()] == 99


def test_what_sweepers_mended_is_told_and_an_outage_of_redis_hides_nothing_else(site: Site, client: TestClient) -> None:
    """Issue 5: what the sweeper does is counted."""
    runners = site.ports.runners
    for kind in ("lease", "lease", "doorbell"):
        runners.count_mended(kind)
    mended = samples(client, "leadersboard_mended_total")
    assert mended == {(("kind", "lease"),): 2, (("kind", "doorbell"),): 1}

    def away() -> None:
        raise Unavailable("Redis", "it is away")

    runners.mended = away
    assert samples(client, "leadersboard_mended_total") == {}
    assert samples(client, "leadersboard_http_requests_in_flight") == {(): 1}


def test_two_apps_do_not_share_their_figures(client: TestClient) -> None:
    other = TestClient(create_app(Settings()))
    other.get("/health/live")
    other.close()
    assert not any("/health/live" in str(labels) for labels in samples(client, "leadersboard_http_requests_total"))
