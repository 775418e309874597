"""The OpenAPI document: FastAPI's, completed with every refusal, examples, and links between calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.openapi import examples
from gateway.problems import document

DESCRIPTION = """Upload code, run it in a sandbox, see its rank.

Send `Authorization: Bearer <token>` with every call but those to `/health`, `/docs`, `/openapi.json` and the sign-in.
Every error is `application/problem+json` (RFC 9457): `code` is stable and made for programs, `detail` for people,
`errors` names every field that broke a rule, and `request_id` is in the server's log, too. A well-formed
`X-Request-ID` (8 to 64 letters, digits or `. _ -`) that you send is kept. Times are UTC, sizes bytes.

Below `/mlflow` are MLflow's own pages and reads, for signed-in users; nothing can be written there."""

TAGS = [
    {"name": "submissions", "description": "Code that was uploaded."},
    {"name": "jobs", "description": "Runs of submissions: their state, log and results."},
    {"name": "board", "description": "The leaderboard, the benchmarks it ranks, the classes a run may have."},
    {"name": "auth", "description": "Who asks."},
    {"name": "users", "description": "Accounts, for admins."},
    {"name": "admin", "description": "Runners, failed steps, retention and the audit trail, for admins."},
    {"name": "health", "description": "Is this process alive, and is everything it needs?"},
    {"name": "operation", "description": "Figures for those who run this site."},
]

ALWAYS = (400, 405, 408, 422, 431, 503)
WITH_BODY = (413, 415)
SECURED = (401, 403)
BODY_METHODS = frozenset({"post", "put", "patch", "delete"})
"""Calls with these methods refuse a body that is too large or of another type, even when they need none."""
ALSO: dict[tuple[str, str], tuple[int, ...]] = {
    ("get", "/leaderboard"): (404,),
    ("get", "/leaderboard/export"): (404, 429),
    ("get", "/leaderboard/history"): (404,),
    ("get", "/benchmarks/check"): (404, 409),
    ("post", "/submissions"): (429, 507),
    ("post", "/jobs"): (404, 409, 429),
    ("post", "/jobs/{job_id}/cancel"): (409,),
    ("post", "/jobs/{job_id}/rerun"): (409, 422, 429),
    ("get", "/jobs/{job_id}/results"): (409,),
    ("get", "/jobs/{job_id}/entry"): (409,),
    ("patch", "/jobs/{job_id}/entry"): (409,),
    ("post", "/admin/entries/{job_id}/disqualify"): (409,),
    ("post", "/admin/entries/{job_id}/restore"): (409,),
    ("post", "/admin/entries/{job_id}/baseline"): (409,),
    ("delete", "/admin/entries/{job_id}/baseline"): (409,),
    ("get", "/jobs/{job_id}/provenance"): (409,),
    ("get", "/jobs/{job_id}/artifacts"): (409,),
    ("get", "/jobs/{job_id}/artifacts/{path}"): (409,),
    ("post", "/auth/login"): (401, 429),
    ("post", "/auth/logout"): (409,),
    ("post", "/auth/password"): (409, 429),
    ("post", "/users"): (409, 429),
    ("post", "/admin/dead-letters/{letter_id}/retry"): (409,),
    ("post", "/admin/results/{job_id}/restore"): (409,),
    ("post", "/admin/results/{job_id}/rescore"): (409,),
    ("post", "/admin/jobs/{job_id}/pin"): (409,),
    ("delete", "/admin/jobs/{job_id}/pin"): (409,),
}
"""Statuses that a call can be refused with, besides those that follow from its form."""

CREATORS = {
    "submission_id": ("/submissions", "post", "201"),
    "job_id": ("/jobs", "post", "202"),
}
"""For each id in a path, the call whose answer has it: path, method, status."""


def install(app: FastAPI) -> None:
    """Make `app.openapi()` return the completed document, built once."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(_plain(app))
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _plain(app: FastAPI) -> dict[str, Any]:
    return get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        servers=app.servers,
    )


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """`document` with the problems, examples and links of the calls that it has."""
    components = document.setdefault("components", {})
    _add_problems(components)
    for path, method, operation in operations(document):
        _add_refusals(path, method, operation)
        _add_parameter_examples(operation)
    _add_examples(components["schemas"])
    _add_links(document)
    used = {tag for _path, _method, operation in operations(document) for tag in operation.get("tags", [])}
    document["tags"] = [tag for tag in document.get("tags", []) if tag["name"] in used]
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each call."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _add_problems(components: dict[str, Any]) -> None:
    schema = document.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = components.setdefault("schemas", {})
    schemas.update(schema.pop("$defs"))
    schemas["Problem"] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["responses"] = {f"Problem{status}": _response(status) for status in document.KINDS if status != 500}  # noqa: PLR2004 - our own faults are not part of the contract


def _response(status: int) -> dict[str, Any]:
    kind = document.KINDS[status]
    codes = ", ".join(f"`{code}`" for code in kind.codes)
    headers: dict[str, Any] = {"X-Request-ID": {"schema": {"type": "string"}}}
    if kind.retry:
        headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
    return {
        "description": f"{kind.when} Code: {codes}.",
        "headers": headers,
        "content": {
            document.MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": document.example(status),
            }
        },
    }


def refusals(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    """Every 4xx status that this call can have, and 503 and 507, sorted."""
    found = {*ALWAYS, *ALSO.get((method, path), ())}
    found |= set(WITH_BODY) if method in BODY_METHODS else set()
    found |= set(SECURED) if operation.get("security") else set()
    found |= {404} if "{" in path else set()
    return sorted(found)


def _add_refusals(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status in refusals(path, method, operation):
        known = answers.get(str(status))
        if known and str(status) != "422":  # the route documents an answer of its own for this status
            known.setdefault("content", {}).update(_response(status)["content"])
        else:
            answers[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(answers.items()))


def _add_parameter_examples(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in examples.PARAMETERS:
            parameter["example"] = examples.PARAMETERS[parameter["name"]]
        if parameter["in"] == "path" and parameter["name"].endswith("_id"):
            parameter["schema"] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}  # any other id is a 404


def _add_examples(schemas: dict[str, Any]) -> None:
    for name, value in examples.SCHEMAS.items():
        if name in schemas:
            schemas[name]["examples"] = [value]


def _add_links(document: dict[str, Any]) -> None:
    """Link each answer that has an id to the calls that take it, for readers and for tests that follow links."""
    for path, _method, operation in list(operations(document)):
        for name, (source, source_method, status) in CREATORS.items():
            if f"{{{name}}}" not in path or source not in document["paths"]:
                continue
            answer = document["paths"][source][source_method]["responses"][status]
            answer.setdefault("links", {})[operation["operationId"]] = {
                "operationId": operation["operationId"],
                "parameters": {name: f"$response.body#/{name}"},
            }
    if "/submissions" in document["paths"] and "/jobs" in document["paths"]:
        _link_job(document)


def _link_job(document: dict[str, Any]) -> None:
    job = document["paths"]["/jobs"]["post"]["operationId"]
    answer = document["paths"]["/submissions"]["post"]["responses"]["201"]
    answer.setdefault("links", {})[job] = {
        "operationId": job,
        "requestBody": {"submission_id": "$response.body#/submission_id", "config": {}},
    }
