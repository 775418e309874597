"""A query parameter that a route does not know is refused by name, on every route; so is one that comes twice."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import FastAPI, Query
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from core.domain.limits import RequestLimits
from gateway.middleware.request_limits import MOST_PARAMETERS, Guard
from gateway.middleware.route_table import OWN_QUERY, RouteTable
from tests.unit.gateway.app_site import Site
from tests.unit.gateway.forms import fields_of

pytestmark = pytest.mark.unit


def every_route(app: FastAPI) -> list[tuple[str, str]]:
    """Method and address of each route that declares its query, ids filled in; MLflow's are in test_tracking_access."""
    found = [context.original_route for context in iter_route_contexts(list(app.routes))]
    return [
        (method, route.path.replace("{path:path}", "a").replace("{", "").replace("}", ""))
        for route in found
        if isinstance(route, APIRoute) and not (route.openapi_extra or {}).get(OWN_QUERY)
        for method in route.methods
    ]


def test_every_route_refuses_what_it_does_not_know(site: Site) -> None:
    """One mechanism: a route that is added tomorrow has it, too."""
    client = site.as_("ada")
    routes = every_route(site.app)
    assert len(routes) > 20
    for method, path in routes:
        answer = client.request(method, path, params={"anything": "unknown"})
        assert answer.status_code == 422, (method, path, answer.status_code)
        assert fields_of(answer) == {"anything"}, (method, path)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("anything=unknown", {"anything"}),
        ("limit=3&limt=4", {"limt"}),
        ("limit=3&limit=3", {"limit"}),
        ("limit=3&LIMIT=4", {"LIMIT"}),
        ("limit[]=3", {"limit[]"}),
        ("%6cimit=3&limit=4", {"limit"}),
        ("=3", {"query"}),
        ("a=1&b=2&limit=3", {"a", "b"}),
        ("limit", {"limit"}),
        ("&".join(f"a{number}=1" for number in range(MOST_PARAMETERS + 1)), {"query"}),
        ("x" * 500 + "=1", {"x" * 80}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:30],
)
def test_what_is_wrong_with_a_query_is_named(site: Site, query: str, fields: set[str]) -> None:
    """In whatever spelling it comes; its value is not repeated."""
    answer = site.as_("ada").get(f"/jobs?{query}")
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) == fields


def test_what_is_declared_passes(site: Site) -> None:
    """Empty queries, known names, lists where a list is declared."""
    for query in ("?", "?limit=3", "?status=pending&limit=3&benchmark=synthetic"):
        assert site.as_("ada").get(f"/jobs{query}").status_code == 200


def test_without_a_token_the_answer_is_401_whatever_is_asked(site: Site) -> None:
    """A token in an address opens nothing, and who has none learns nothing of an address."""
    answer = TestClient(site.app).get("/jobs?access_token=ada")
    assert answer.status_code == 401


def test_a_list_may_come_more_than_once_and_a_route_may_check_its_own_query() -> None:
    """The mark is for a route that passes a query on and cannot declare all of it."""
    app = FastAPI()

    @app.get("/listed")
    def listed(tag: Annotated[list[str] | None, Query()] = None, *, one: int = 1) -> int:
        return len(tag or ()) + one

    @app.get("/own", openapi_extra={OWN_QUERY: True})
    def own() -> str:
        return "mine"

    app.state.places = RouteTable(app.routes)
    app.add_middleware(Guard, limits=RequestLimits(), places=app.state.places)
    client = TestClient(app)
    assert client.get("/listed?tag=a&tag=b&one=2").json() == 4
    assert client.get("/listed?one=1&one=2").status_code == 422
    assert client.get("/own?whatever=1&whatever=2").json() == "mine"
    assert client.get("/nowhere?whatever=1").status_code == 404
