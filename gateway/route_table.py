"""Which addresses there are and which methods each takes: for requests that are refused before they reach a route."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Route


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One address of ours, as a template, and its methods."""

    template: str
    methods: frozenset[str]


class RouteTable:
    """The routes of an app as they are when this is built; a template is the only form of an address to count by."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        found = (context.original_route for context in iter_route_contexts(list(routes)))
        self._routes = [route for route in found if isinstance(route, Route)]

    def at(self, path: str) -> Place | None:
        """The place that `path` names; None where there is none."""
        matching = [route for route in self._routes if route.path_regex.match(path)]
        if not matching:
            return None
        template = matching[0].path
        methods = [method for route in matching if route.path == template for method in route.methods or ()]
        return Place(template=template, methods=frozenset(methods))
