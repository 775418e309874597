"""Links into MLflow: the forms that really open."""

from __future__ import annotations

import pytest

from core.domain.links import run_page, run_resource

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("address", ["http://localhost:5010", "http://localhost:5010/"])
def test_links_name_experiment_and_run_on_the_public_address(address: str) -> None:
    """JOB-7: a trailing slash of the setting makes no double one."""
    assert (
        run_page(address, "7", "abc") == "http://localhost:5010/#/experiments/7/runs/abc?workflowType=machine_learning"
    )
    assert run_resource(address, "abc") == "http://localhost:5010/api/2.0/mlflow/runs/get?run_id=abc"
