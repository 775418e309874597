"""The addresses there are, with their methods and query parameters: for requests that are refused before the routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security.base import SecurityBase
from starlette.routing import BaseRoute, Route

OWN_QUERY = "x-own-query"
"""In a route's `openapi_extra`: the route checks its query itself, since it cannot declare every parameter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One address of ours, as a template, its methods, and what each of them declares of its query."""

    template: str
    methods: frozenset[str]
    queries: Mapping[str, Mapping[str, bool] | None]
    """By method: the names, each with whether it may come more than once; None where the route checks them itself."""
    secured: frozenset[str]
    """The methods that need a token."""


class RouteTable:
    """The routes of an app as they are when this is built; a template is the only form of an address to count by."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        found = (context.original_route for context in iter_route_contexts(list(routes)))
        self._routes = [(route, _query(route)) for route in found if isinstance(route, Route)]

    def at(self, path: str) -> Place | None:
        """The place that `path` names; None where there is none."""
        matching = [(route, query) for route, query in self._routes if route.path_regex.match(path)]
        if not matching:
            return None
        template = matching[0][0].path
        queries = {
            method: query for route, query in matching if route.path == template for method in route.methods or ()
        }
        secured = {
            method
            for route, _query in matching
            if route.path == template and isinstance(route, APIRoute) and _asks_for_a_token(route.dependant)
            for method in route.methods or ()
        }
        return Place(template=template, methods=frozenset(queries), queries=queries, secured=frozenset(secured))


def _query(route: Route) -> Mapping[str, bool] | None:
    if not isinstance(route, APIRoute):
        return {}
    if (route.openapi_extra or {}).get(OWN_QUERY):
        return None
    fields = [field for field in get_flat_params(route.dependant) if isinstance(field.field_info, Query)]
    return {field.alias: _is_list(field.field_info.annotation) for field in fields}


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in {list, set, tuple, frozenset} or any(map(_is_list, get_args(annotation)))


def _asks_for_a_token(dependant: Dependant) -> bool:
    return isinstance(dependant.call, SecurityBase) or any(map(_asks_for_a_token, dependant.dependencies))
