"""The API's description: complete, stable, with examples that are true."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel

from core import __version__
from core.domain import runners
from core.settings import Settings
from gateway.app import create_app
from gateway.openapi import document as openapi
from gateway.openapi import examples
from gateway.problems import document as problems
from gateway.schemas import admin as admin_schemas
from gateway.schemas import audit as audit_schemas
from gateway.schemas import auth as auth_schemas
from gateway.schemas import benchmark_check, board_history
from gateway.schemas import entries as entry_schemas
from gateway.schemas import jobs as schemas
from gateway.schemas import provenance as provenance_schemas
from gateway.schemas import rerun as rerun_schemas
from gateway.schemas import results as result_schemas
from gateway.schemas import submissions as submission_schemas
from gateway.schemas import weights as weights_schemas
from tests.conftest import REPOSITORY
from tests.sites import Site

pytestmark = pytest.mark.unit


MODELS: dict[str, type[BaseModel]] = {
    name: value
    for module in (
        schemas,
        result_schemas,
        auth_schemas,
        submission_schemas,
        admin_schemas,
        audit_schemas,
        provenance_schemas,
        rerun_schemas,
        runners,
        benchmark_check,
        board_history,
        entry_schemas,
        weights_schemas,
    )
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, BaseModel)
}


PUBLIC = {"/health/live", "/health/ready", "/auth/login"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = create_app(Settings()).openapi()
    return found


@pytest.mark.parametrize("name", examples.SCHEMAS)
def test_every_example_is_valid_for_what_it_shows(name: str) -> None:
    MODELS[name].model_validate(examples.SCHEMAS[name], strict=False)


def test_every_object_of_the_api_has_an_example(document: dict[str, Any]) -> None:
    """But the parts of problems, which each problem's own example shows."""
    objects = {name for name, schema in document["components"]["schemas"].items() if schema.get("type") == "object"}
    without = {name for name in objects if not document["components"]["schemas"][name].get("examples")}
    assert without <= {"Problem", "FaultView", "MetricView"}


@pytest.mark.parametrize("status", problems.KINDS)
def test_every_problem_has_a_true_example(status: int) -> None:
    problems.Problem.model_validate(problems.example(status))


def test_every_call_has_a_summary_a_tag_and_an_id_of_its_own(document: dict[str, Any]) -> None:
    found = [operation for _path, _method, operation in openapi.operations(document)]
    assert all(operation["summary"] and operation["description"] and operation["tags"] for operation in found)
    ids = [operation["operationId"] for operation in found]
    assert len(set(ids)) == len(ids)
    assert {"submissions_create", "jobs_enqueue", "jobs_status", "jobs_logs", "board_leaderboard"} <= set(ids)


def test_every_call_but_the_public_ones_asks_for_a_token_and_declares_what_follows(document: dict[str, Any]) -> None:
    for path, _method, operation in openapi.operations(document):
        declared = set(operation["responses"])
        assert (path in PUBLIC) == (not operation.get("security")), path
        assert {"422", "503", "400"} <= declared
        assert ("401" in declared) or path in PUBLIC
        assert ("404" in declared) or "{" not in path


def test_what_enqueueing_and_uploading_can_be_refused_with_is_declared(document: dict[str, Any]) -> None:
    declared = set(document["paths"]["/jobs"]["post"]["responses"])
    assert {"202", "401", "403", "404", "409", "413", "415", "422", "429", "503"} <= declared
    declared = set(document["paths"]["/submissions"]["post"]["responses"])
    assert {"201", "401", "403", "413", "415", "422", "503", "507"} <= declared


def test_every_row_of_further_refusals_is_for_a_call_that_is_there(document: dict[str, Any]) -> None:
    calls = {(method, path) for path, method, _operation in openapi.operations(document)}
    assert set(openapi.ALSO) <= calls


@pytest.mark.slow
def test_docs_api_md_is_current() -> None:
    """`scripts/api-docs` writes it again."""
    command = [sys.executable, "scripts/api-docs", "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_documentation_describes_every_error(site: Site) -> None:
    """Each operation declares problem documents, 401 wherever a token counts, and every reference leads somewhere."""
    document = site.as_(None).get("/openapi.json").json()
    assert document["info"]["version"] == __version__
    for path, methods in document["paths"].items():
        for operation in methods.values():
            secured = bool(operation.get("security"))
            assert secured is not (path.startswith("/health/") or path == "/auth/login")
            expected = {"422", "503"} | ({"401", "403"} if secured else set())
            assert expected <= set(operation["responses"])
            assert all(_is_problem(document, operation["responses"][status]) for status in expected)
    refs = _references(document)
    assert {"#/components/schemas/Problem", "#/components/responses/Problem401"} <= refs
    assert all(_found(document, ref) for ref in refs)


def test_the_documentation_tells_how_to_upload(site: Site) -> None:
    """The form is described, though its size is counted by hand."""
    operation = site.as_(None).get("/openapi.json").json()["paths"]["/submissions"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"files", "entrypoint", "config_file", "metadata"}
    assert operation["security"]


def _is_problem(document: dict[str, Any], answer: dict[str, Any]) -> bool:
    described = _found(document, answer["$ref"]) if "$ref" in answer else answer
    return described["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def _found(document: dict[str, Any], ref: str) -> Any:
    found: Any = document
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()
