"""The list of experiments that a user sees, and the places and conditions of a search that MLflow would fail over."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.domain.tracking_access import understood
from core.domain.tracking_call import Asked
from core.domain.tracking_experiments import found_among

pytestmark = pytest.mark.unit

BOARDS = [
    {"experiment_id": str(number), "name": name, "lifecycle_stage": stage, "creation_time": number}
    for number, (name, stage) in enumerate(
        [("mvtec_cloth", "active"), ("MVTec", "active"), ("visa", "active"), ("removed", "deleted")], start=8
    )
]
SEARCH = "ajax-api/2.0/mlflow/experiments/search"
RUNS = "ajax-api/2.0/mlflow/runs/search"


def found(**fields: Any) -> list[str]:
    call = understood(Asked(method="POST", path=SEARCH, body=fields))
    return [one["name"] for one in found_among(BOARDS, call)["experiments"]]


def token(value: object) -> str:
    return base64.b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("", ["visa", "MVTec", "mvtec_cloth"]),
        ("name ILIKE '%MVTEC%'", ["MVTec", "mvtec_cloth"]),
        ("name LIKE 'MVTec%'", ["MVTec"]),
        ("attribute.name LIKE '%cloth'", ["mvtec_cloth"]),
        ('name like "visa"', ["visa"]),
        ("name ILIKE '%removed%'", []),
    ],
)
def test_a_name_is_searched_for(condition: str, names: list[str]) -> None:
    """As MLflow's page asks; what somebody removed in MLflow is not found."""
    assert found(filter=condition) == names


@pytest.mark.parametrize(
    "condition", ["tags.x = 'y'", "name = 'a' OR name = 'b'", "name ILIKE '%a%' AND x = 1", "name ILIKE '%a%b%'", "1"]
)
def test_other_filters_are_refused(condition: str) -> None:
    with pytest.raises(InvalidInput, match="filter"):
        found(filter=condition)


def test_lists_are_ordered_and_come_in_pages() -> None:
    """The next page's token tells of what the user may see alone."""
    orders = ["name DESC", "creation_time"]
    assert found(order_by=orders) == ["visa", "mvtec_cloth", "MVTec"]
    query = [("max_results", "2"), ("order_by", "creation_time ASC")]
    first = found_among(BOARDS, understood(Asked(method="GET", path=SEARCH, query=query)))
    assert [one["name"] for one in first["experiments"]] == ["mvtec_cloth", "MVTec"]
    rest = [*query, ("page_token", first["next_page_token"])]
    last = found_among(BOARDS, understood(Asked(method="GET", path=SEARCH, query=rest)))
    assert [one["name"] for one in last["experiments"]] == ["visa"]
    assert "next_page_token" not in last
    for wrong in ({"order_by": ["tags.x"]}, {"max_results": 0}):
        with pytest.raises(InvalidInput):
            found(**wrong)


@pytest.mark.parametrize(
    "sent",
    [
        "abc", "====", "~", token("x"), token([]), token({}), token(b"\xff\xfe"), token({"offset": "1"}),
        token({"offset": None}), token({"offset": True}), token({"offset": -1}), token({"offset": 1.5}),
        token({"offset": 2**63}), token({"offset": 1, "x": 2}), "A" * 6000,
        token(b'{"offset": ' + b"9" * 5000 + b"}"), token(b"[" * 1000), "\u0663" * 8,
    ],
)  # fmt: skip
def test_a_token_that_no_answer_had_is_a_mistake_of_its_sender(sent: str) -> None:
    """MLflow fails over some of them with 500, which would be told as an outage."""
    for path, fields in ((SEARCH, {}), (RUNS, {"experiment_ids": ["1"]})):
        with pytest.raises(InvalidInput, match="page_token"):
            understood(Asked(method="POST", path=path, body={**fields, "page_token": sent}))
    history = [("run_id", "a" * 32), ("metric_key", "m"), ("page_token", sent)]
    with pytest.raises(InvalidInput, match="page_token"):
        understood(Asked(method="GET", path="ajax-api/2.0/mlflow/metrics/get-history", query=history))


def test_a_token_of_mlflows_own_is_passed_on() -> None:
    body = {"experiment_ids": ["1"], "page_token": token({"offset": 100})}
    call = understood(Asked(method="POST", path=RUNS, body=body))
    assert call.body is not None
    assert call.body["page_token"] == "eyJvZmZzZXQiOiAxMDB9"
    assert understood(Asked(method="POST", path=RUNS, body={**body, "page_token": ""})).body is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"filter": "attributes.start_time > " + "9" * 19},
        {"filter": " AND ".join(["metrics.x > 1"] * 21)},
        {"order_by": [f"metrics.m{number}" for number in range(11)]},
        {"experiment_ids": ["9" * 19]},
    ],
)
def test_what_mlflows_store_cannot_ask_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        understood(Asked(method="POST", path=RUNS, body={"experiment_ids": ["1"], **fields}))


def test_a_text_that_is_compared_with_may_hold_anything() -> None:
    condition = "params.hash = '" + "9" * 64 + " AND " * 50 + "'"
    assert understood(Asked(method="POST", path=RUNS, body={"experiment_ids": ["1"], "filter": condition})).body
