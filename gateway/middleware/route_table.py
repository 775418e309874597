"""Looks up routes with their methods and query parameters, for middlewares that refuse requests before routing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security.base import SecurityBase
from starlette.routing import BaseRoute, Route

OWN_QUERY = "x-own-query"
"""Key in a route's `openapi_extra`: the route checks its query itself, since it cannot declare every parameter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPath:
    """One path template, its methods, and the query parameters that each method declares."""

    template: str
    methods: frozenset[str]
    queries: Mapping[str, Mapping[str, bool] | None]
    """By method: each name with whether it may be repeated; None when the route checks its query itself."""
    secured: frozenset[str]
    """The methods that need a token."""


class RouteTable:
    """The routes that the app has when this is built. Logs and metrics use templates, never raw paths."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        found = (context.original_route for context in iter_route_contexts(list(routes)))
        self._routes = [(route, _query(route)) for route in found if isinstance(route, Route)]

    def methods_at(self, path: str) -> Collection[str]:
        """The methods of `path`; none for an unknown path."""
        found = self.at(path)
        return found.methods if found else ()

    def at(self, path: str) -> KnownPath | None:
        """The entry for `path`, or None."""
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
        return KnownPath(template=template, methods=frozenset(queries), queries=queries, secured=frozenset(secured))


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
