"""Which calls of MLflow are allowed, and what each reads; every unknown call is refused (DOR-4).

An allowed call is rebuilt from what was understood. Address, parameters and body are written by us, so no spelling of
an address, no repeated parameter and no header of the sender can mean one thing here and another in MLflow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.errors import Forbidden, InvalidInput, NotFound
from core.domain.tracking_call import Asked, Shows, TrackingCall
from core.domain.tracking_fields import checked, checked_query
from core.domain.tracking_files import list_files, list_stored, one_file, stored_file
from core.domain.tracking_queries import QUERIES, squeezed

READ_ONLY = "MLflow can only be read here: nothing was changed. Results are written by the platform alone."
LONGEST_PATH = 2048
_STATIC_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~@-]{0,200}")
_API = re.compile(r"(?:ajax-)?api/(.+)", re.DOTALL)


def understood(asked: Asked) -> TrackingCall:
    """The call that a request stands for.

    Raises Forbidden for calls that could change something, NotFound for other addresses, InvalidInput for parameters
    that are unknown, repeated or malformed.
    """
    if len(asked.path) > LONGEST_PATH:
        raise NotFound("page of MLflow", asked.path[:80])
    name = _API.fullmatch(asked.path)
    found = _api_call(asked, name[1]) if name else _page_call(asked)
    if found is not None:
        return found
    if asked.method == "GET":
        raise NotFound("page of MLflow", asked.path[:80])
    raise Forbidden(READ_ONLY)


def _page_call(asked: Asked) -> TrackingCall | None:
    if asked.method == "POST":
        return _graphql(asked.body) if asked.path == "graphql" and not asked.query else None
    if asked.method != "GET":
        return None
    if asked.path == "get-artifact":
        return one_file("", asked)
    folder, _slash, rest = asked.path.partition("/")
    if asked.path in {"", "version"}:
        checked_query(asked.query, ())
        return TrackingCall(path=f"/{asked.path}", shows=Shows.DATA if asked.path else Shows.PAGE)
    if folder == "static-files" and all(_STATIC_NAME.fullmatch(part) for part in rest.split("/")):
        checked_query(asked.query, ())
        return TrackingCall(path=f"/static-files/{rest}", shows=Shows.PART)
    return None


def _api_call(asked: Asked, name: str) -> TrackingCall | None:
    if asked.method not in {"GET", "POST"}:
        return None
    if (nothing := NOTHING_THERE.get((asked.method, name))) is not None:
        return TrackingCall(path=f"/ajax-api/{name}", answer=nothing)
    if (kind := READS.get((asked.method, name))) is not None:
        return kind(f"/ajax-api/{name}", asked)
    stored = name.removeprefix("2.0/mlflow-artifacts/artifacts/")
    if asked.method == "GET" and stored != name:
        checked_query(asked.query, ())
        return stored_file(stored)
    return None


Understanding = Callable[[str, Asked], TrackingCall]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """A reading call: the fields that it may have, and the kind of its answer."""

    fields: Sequence[str]
    needs: Sequence[str] = ()
    shows: Shows = Shows.DATA
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, path: str, asked: Asked) -> TrackingCall:
        if asked.method == "GET":
            query = checked_query(asked.query, self.fields)
            return _scoped(TrackingCall(path=path, query=query, shows=self.shows), query, self.needs)
        if asked.query:
            raise InvalidInput.of("query", "a search has its fields in its body")
        body = {**self.defaults, **checked(asked.body, self.fields)}
        pairs = [(name, text) for name, value in body.items() for text in _texts(value)]
        return _scoped(TrackingCall(path=path, method="POST", body=body, shows=self.shows), pairs, self.needs)


def _texts(value: Any) -> Sequence[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _scoped(call: TrackingCall, pairs: Sequence[tuple[str, str]], needs: Sequence[str]) -> TrackingCall:
    """The call with the experiments and runs that it names. Without a field of `needs` it would read everything."""
    if missing := [name for name in needs if name not in dict(pairs)]:
        raise InvalidInput.of(missing[0], "is missing")
    names = [value for name, value in pairs if name == "experiment_name"]
    return replace(
        call,
        experiments=frozenset(value for name, value in pairs if name in {"experiment_id", "experiment_ids"}),
        runs=frozenset(value for name, value in pairs if name in {"run_id", "run_ids"}),
        experiment_name=names[0] if names else None,
    )


def _graphql(body: Any) -> TrackingCall:
    """A query of MLflow's own pages, sent as our own copy; only its variables are taken from the request."""
    if not isinstance(body, dict) or not set(body) <= {"operationName", "query", "variables"}:
        raise InvalidInput.of("body", "must be an object with operationName, query and variables")
    name = body.get("operationName")
    query = QUERIES.get(name) if isinstance(name, str) else None
    if query is None or squeezed(body.get("query")) != squeezed(query.text):
        raise Forbidden("Only the queries that MLflow's own pages send are passed on.")
    value = query.read(body.get("variables"))
    sent = {"operationName": name, "query": query.text, "variables": query.variables(value)}
    scope = {query.reads: frozenset({value})}
    return TrackingCall(path="/graphql", method="POST", body=sent, **scope)  # type: ignore[arg-type]


_SEARCH = ("max_results", "page_token", "filter", "order_by")
_EXPERIMENTS = _Read(fields=(*_SEARCH, "view_type"), shows=Shows.EXPERIMENTS)
_BY_EXPERIMENTS = ("experiment_ids",)
READS: Mapping[tuple[str, str], Understanding] = {
    ("GET", "3.0/mlflow/server-info"): _Read(fields=()),
    ("GET", "2.0/mlflow/experiments/get"): _Read(fields=("experiment_id",), needs=("experiment_id",)),
    ("GET", "2.0/mlflow/experiments/get-by-name"): _Read(fields=("experiment_name",), needs=("experiment_name",)),
    ("GET", "2.0/mlflow/experiments/search"): _EXPERIMENTS,
    ("POST", "2.0/mlflow/experiments/search"): _EXPERIMENTS,
    ("POST", "2.0/mlflow/experiments/search-datasets"): _Read(fields=_BY_EXPERIMENTS, needs=_BY_EXPERIMENTS),
    ("GET", "2.0/mlflow/runs/get"): _Read(fields=("run_id", "run_uuid"), needs=("run_id",)),
    ("POST", "2.0/mlflow/runs/search"): _Read(
        fields=(*_SEARCH, *_BY_EXPERIMENTS, "run_view_type"),
        needs=_BY_EXPERIMENTS,
        defaults={"run_view_type": "ACTIVE_ONLY"},
    ),
    ("GET", "2.0/mlflow/metrics/get-history"): _Read(
        fields=("run_id", "run_uuid", "metric_key", "max_results", "page_token"), needs=("run_id", "metric_key")
    ),
    ("GET", "2.0/mlflow/metrics/get-history-bulk-interval"): _Read(
        fields=("run_ids", "metric_key", "max_results", "start_step", "end_step"), needs=("run_ids", "metric_key")
    ),
    ("GET", "2.0/mlflow/artifacts/list"): list_files,
    ("GET", "2.0/mlflow/get-artifact"): one_file,
    ("GET", "2.0/mlflow-artifacts/artifacts"): list_stored,
}

NOTHING_THERE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("GET", "3.0/mlflow/assistant/config"): {"providers": {}, "projects": {}, "remote_access_allowed": False},
    ("GET", "3.0/mlflow/assistant/providers"): {"providers": []},
    ("GET", "3.0/mlflow/ui-telemetry"): {"disable_ui_telemetry": True},
    ("GET", "2.0/mlflow/gateway-proxy"): {"endpoints": []},
    ("GET", "2.0/mlflow/registered-models/search"): {},
    ("GET", "2.0/mlflow/model-versions/search"): {},
    ("POST", "2.0/mlflow/logged-models/search"): {},
    ("GET", "3.0/mlflow/scorers/list"): {},
    ("POST", "3.0/mlflow/traces/search"): {},
    ("POST", "3.0/mlflow/traces/metrics"): {"data_points": []},
    ("POST", "3.0/mlflow/datasets/search"): {},
}
"""Answers to calls for things that this platform never records: models, traces, assistants. MLflow is not asked."""
