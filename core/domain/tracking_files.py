"""Calls for the files of runs: by run, or by their path in the artifact store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from core.domain.artifact_names import name_faults
from core.domain.errors import Fault, InvalidInput, NotFound
from core.domain.tracking_call import Asked, Shows, TrackingCall
from core.domain.tracking_fields import checked_query, run_id

_RUN_FOLDER = re.compile(r"([0-9]{1,18})/([0-9a-f]{32})/artifacts(?:/(.+))?", re.DOTALL)
_FILE = ("path", "run_id", "run_uuid")
_LIST = (*_FILE, "page_token")
MOST_ENCODED = 5
NOT_STORED = "must be a relative path with '/' between its parts"
"""About signs that the names under which MLflow keeps files never have."""


def one_file(_path: str, asked: Asked) -> TrackingCall:
    """A file of a run, by the run's id and the file's path."""
    fields = dict(checked_query(asked.query, _FILE))
    run = _one_run(fields)
    path = _inside(fields.get("path", ""))
    query = (("path", path), ("run_uuid", run))
    return TrackingCall(path="/get-artifact", query=query, shows=Shows.FILE, runs=frozenset({run}), files_of=run)


def list_files(path: str, asked: Asked) -> TrackingCall:
    """The files of a run, or of a folder in it."""
    fields = dict(checked_query(asked.query, _LIST))
    run = _one_run(fields)
    query = [("run_id", run)]
    query += [("path", _inside(fields["path"]))] if fields.get("path") else []
    query += [("page_token", fields["page_token"])] if "page_token" in fields else []
    return TrackingCall(path=path, query=query, runs=frozenset({run}), files_of=run)


def stored_file(stored: str) -> TrackingCall:
    """A file by its path in the artifact store. Raises NotFound for paths outside the folders of runs."""
    found = _RUN_FOLDER.fullmatch(stored)
    if found is None or not found[3]:
        raise NotFound("file of a run", stored[:80])
    path = f"/api/2.0/mlflow-artifacts/artifacts/{found[1]}/{found[2]}/artifacts/{_inside(found[3])}"
    return TrackingCall(
        path=path, shows=Shows.FILE, experiments=frozenset({found[1]}), runs=frozenset({found[2]}), files_of=found[2]
    )


def list_stored(path: str, asked: Asked) -> TrackingCall:
    """A folder by its path in the artifact store. Raises NotFound for paths outside the folders of runs."""
    folder = dict(checked_query(asked.query, ("path",))).get("path", "")
    found = _RUN_FOLDER.fullmatch(folder)
    if found is None:
        raise NotFound("file of a run", folder[:80])
    if found[3]:
        _inside(found[3])
    return TrackingCall(
        path=path,
        query=(("path", folder),),
        experiments=frozenset({found[1]}),
        runs=frozenset({found[2]}),
        files_of=found[2],
    )


def _one_run(fields: Mapping[str, str]) -> str:
    named = {fields[name] for name in ("run_id", "run_uuid") if name in fields}
    if len(named) != 1:
        raise InvalidInput.of("run_id", "must name one run")
    return run_id("run_id", named.pop())


def _inside(path: str) -> str:
    """Checks that a path stays inside a run's folder, however often it is decoded. Raises InvalidInput."""
    decoded = path
    for _time in range(MOST_ENCODED):
        if rules := name_faults(decoded) + [NOT_STORED] * bool({"\\", ":"} & set(decoded)):
            raise InvalidInput(*(Fault(field="path", rule=rule) for rule in rules))
        if (once_more := unquote(decoded)) == decoded:
            return path
        decoded = once_more
    raise InvalidInput.of("path", "is percent-encoded too often")
