"""What of MLflow may be asked: the reads of its pages, and nothing that could be taken for something else."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.errors import Forbidden, InvalidInput, LeadersboardError, NotFound
from core.domain.tracking_access import NOTHING_THERE, READS, understood
from core.domain.tracking_call import Asked, Shows
from core.domain.tracking_queries import GET_RUN, QUERIES

pytestmark = pytest.mark.unit

RUN, OTHER = "a" * 32, "b" * 32
MLFLOW = "ajax-api/2.0/mlflow"


def get(path: str, *query: tuple[str, str]) -> Any:
    return understood(Asked(method="GET", path=path, query=query))


def post(path: str, body: Any) -> Any:
    return understood(Asked(method="POST", path=path, body=body))


def test_a_page_and_its_parts_are_read() -> None:
    """DOR-4: the page and whatever lies below static-files."""
    assert (get("").path, get("").shows) == ("/", Shows.PAGE)
    part = get("static-files/static/js/main.c2f5f8d4.js")
    assert (part.path, part.shows) == ("/static-files/static/js/main.c2f5f8d4.js", Shows.PART)


@pytest.mark.parametrize("prefix", ["api", "ajax-api"])
def test_a_call_is_made_anew(prefix: str) -> None:
    """The address, the parameter's name and the method are ours, whichever of MLflow's spellings was sent."""
    call = get(f"{prefix}/2.0/mlflow/runs/get", ("run_uuid", RUN))
    assert (call.method, call.path, list(call.query)) == ("GET", f"/{MLFLOW}/runs/get", [("run_id", RUN)])
    assert call.runs == {RUN}


def test_a_search_names_its_experiments_and_skips_what_is_removed() -> None:
    """Without experiments a search would read all; `ALL` becomes what is active for everybody but admins."""
    call = post(f"{MLFLOW}/runs/search", {"experiment_ids": ["1", "2"], "run_view_type": "ALL", "max_results": 50_000})
    assert call.experiments == {"1", "2"}
    assert call.body == {"experiment_ids": ["1", "2"], "run_view_type": "ALL", "max_results": 1000}
    assert call.without_removed().body["run_view_type"] == "ACTIVE_ONLY"
    with pytest.raises(InvalidInput):
        post(f"{MLFLOW}/runs/search", {"filter": ""})
    for nothing in ({"experiment_ids": []}, None, {}, [], "1"):
        with pytest.raises(InvalidInput):
            post(f"{MLFLOW}/runs/search", nothing)


def test_files_name_their_run() -> None:
    """Whichever of the four ways to a file is taken, the run whose file it is is known."""
    for call in (
        get("get-artifact", ("path", "curves/roc (1), é.png"), ("run_uuid", RUN)),
        get(f"{MLFLOW}/get-artifact", ("path", "a%b.png"), ("run_id", RUN)),
        get(f"{MLFLOW}/artifacts/list", ("run_uuid", RUN), ("path", "curves")),
        get(f"api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/curves/roc.png"),
        get("api/2.0/mlflow-artifacts/artifacts", ("path", f"1/{RUN}/artifacts/curves")),
    ):
        assert (call.files_of, call.runs) == (RUN, {RUN})


@pytest.mark.parametrize(
    "path",
    [
        "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "%2e%2e/x", "%252e%252e/x", "a/%2e%2e%2fx", "..%5cx",
        "a\\b",        "%" + "25" * 9 + "2e", "", "a\x00b", "C:/x",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_a_runs_files(path: str) -> None:
    """However often MLflow may decode what it gets."""
    with pytest.raises(LeadersboardError):
        get("get-artifact", ("path", path), ("run_uuid", RUN))
    with pytest.raises(LeadersboardError):
        get(f"api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/{path}")
    if path:
        with pytest.raises(LeadersboardError):
            get(f"{MLFLOW}/artifacts/list", ("run_id", RUN), ("path", path))


@pytest.mark.parametrize(
    "query",
    [
        [("run_id", RUN), ("run_id", OTHER)],
        [("run_id", RUN), ("run_uuid", OTHER)],
        [("run_id", RUN), ("_method", "DELETE")],
        [("run_id", RUN), ("RUN_ID", OTHER)],
        [("run_id[]", RUN)],
        [("run_id", RUN.upper())],
        [("run_id", f"{RUN}\n")],
        [("run_id", "")],
        [],
    ],
)
@pytest.mark.parametrize("name", ["runs/get", "artifacts/list", "metrics/get-history"])
def test_a_doubled_or_unknown_parameter_is_refused(name: str, query: list[tuple[str, str]]) -> None:
    """One reader's first is another one's last."""
    with pytest.raises(InvalidInput):
        get(f"{MLFLOW}/{name}", *query)


@pytest.mark.parametrize(
    "path",
    [
        "/", "//", "x", "./", "..", "static-files", "static-files/", "static-files/../api", "static-files/a//b",
        "static-files/.env", "static-files/a\\b", "static-files/a;b", "graphql", "GRAPHQL", "health",
        f"{MLFLOW}/runs/get/", f"/{MLFLOW}/runs/get", f"{MLFLOW}//runs/get", f"{MLFLOW}/runs/get;x",
        f"{MLFLOW}/runs/get%00", f"{MLFLOW}/Runs/Get", f"{MLFLOW}/runs/./get", "ajax-api/3.0/mlflow/runs/get",
        "api/2.0/preview/mlflow/runs/get", "ajax-api/ajax-api/2.0/mlflow/runs/get", f"{MLFLOW}/runs/create",
        f"{MLFLOW}/gateway-proxy/x", f"{MLFLOW}/artifacts/presigned-download-url",
        "api/2.0/mlflow-artifacts/artifacts/1",
        f"api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts",
        f"api/2.0/mlflow-artifacts/presigned/1/{RUN}/artifacts/a",
        f"api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/", "api/2.0/mlflow-artifacts/artifacts/models/x",
        "ajax-api/3.0/mlflow/assistant/message", "ajax-api/3.0/mlflow/get-trace-artifact",
        "model-versions/get-artifact",
        "x" * 5000,
    ],
)  # fmt: skip
def test_other_addresses_are_not_there(path: str) -> None:
    """What is on no list is no address, whatever it looks like."""
    with pytest.raises(NotFound):
        get(path)


def test_whatever_writes_is_refused() -> None:
    """Every method but GET and POST, and every POST that is not one of the searches."""
    for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "CONNECT", ""):
        for path in ("", f"{MLFLOW}/runs/get", f"{MLFLOW}/runs/search", "graphql", f"{MLFLOW}/runs/log-metric"):
            with pytest.raises(Forbidden, match="nothing was changed"):
                understood(Asked(method=method, path=path, body={}))
    for method, name in {*READS, *NOTHING_THERE}:
        if method == "GET" and ("POST", name) not in {*READS, *NOTHING_THERE}:
            with pytest.raises(Forbidden):
                post(f"ajax-api/{name}", {})
    for name in (
        "runs/log-metric",
        "runs/update",
        "runs/set-tag",
        "runs/delete",
        "experiments/create",
        "runs/log-batch",
    ):
        with pytest.raises(Forbidden, match="nothing was changed"):
            post(f"{MLFLOW}/{name}", {"run_id": RUN})


def graphql(**changes: Any) -> Any:
    body = {"operationName": "GetRun", "query": GET_RUN, "variables": {"data": {"runId": RUN}}}
    return post("graphql", body | changes)


def test_mlflows_own_queries_are_passed_on_in_our_copy() -> None:
    """Only the id in the variables is taken over, and what it names is what is read."""
    call = graphql(query=GET_RUN.replace("\n", " \n"))
    assert call.body == {"operationName": "GetRun", "query": GET_RUN, "variables": {"data": {"runId": RUN}}}
    assert (call.runs, call.experiments) == ({RUN}, frozenset())
    text = QUERIES["MlflowGetExperimentQuery"].text
    asked = {"operationName": "MlflowGetExperimentQuery", "query": text, "variables": {"input": {"experimentId": "7"}}}
    assert post("graphql", asked).experiments == {"7"}


@pytest.mark.parametrize(
    "changes",
    [
        {"query": 'mutation { testMutation(inputString: "x") { output } }'},
        {"query": "{ __schema { types { name } } }"},
        {"query": GET_RUN.replace("mlflowGetRun(", "a: mlflowListArtifacts(")},
        {"query": GET_RUN + "query Other { test { output } }"},
        {"query": GET_RUN + "fragment F on MlflowRun { info { runUuid } }"},
        {"query": GET_RUN.replace("run {", "...F run {", 1)},
        {"query": None}, {"query": [GET_RUN]}, {"operationName": None}, {"operationName": "Other"},
        {"operationName": "MlflowGetExperimentQuery"}, {"operationName": ["GetRun"]},
        {"variables": {}}, {"variables": None}, {"variables": {"data": {"runId": RUN, "runUuid": OTHER}}},
        {"variables": {"data": {"runId": [RUN]}}}, {"variables": {"data": {"runId": "x"}}},
        {"variables": {"data": {"runId": RUN}, "more": 1}}, {"extensions": {}},
    ],
)  # fmt: skip
def test_no_other_query_is_passed_on(changes: dict[str, Any]) -> None:
    """No mutation, introspection, alias, fragment, second operation, persisted query or further variable."""
    with pytest.raises((Forbidden, InvalidInput)):
        graphql(**changes)
    with pytest.raises((Forbidden, InvalidInput)):
        post("graphql", [{"operationName": "GetRun", "query": GET_RUN, "variables": {"data": {"runId": RUN}}}])
