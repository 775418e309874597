"""Benchmarks and resource classes over HTTP."""

from __future__ import annotations

import pytest

from tests.builders import write_benchmark
from tests.sites import Site

pytestmark = pytest.mark.unit


def test_benchmarks_are_listed_with_their_metrics(site: Site) -> None:
    """What a submitter must know to be ranked."""
    assert site.as_("ada").get("/benchmarks").json() == {
        "items": [
            {
                "name": "synthetic",
                "title": "Surfaces",
                "description": "",
                "scoring": "reported",
                "primary_metric": "image_auc",
                "categories": [],
                "metrics": [
                    {
                        "name": "image_auc",
                        "direction": "maximize",
                        "minimum": 0,
                        "maximum": 1,
                        "unit": None,
                        "other_names": ["image_AUROC"],
                    },
                    {
                        "name": "inference_time_ms",
                        "direction": "minimize",
                        "minimum": 0,
                        "maximum": None,
                        "unit": "ms",
                        "other_names": [],
                    },
                ],
            }
        ]
    }


def test_the_benchmark_that_is_meant_where_none_is_named_comes_first(site: Site) -> None:
    """The pages open with it, whatever else is installed."""
    for name in ("digits", "zebra"):
        write_benchmark(site.root / "benchmarks", name=name)
    listed = [one["name"] for one in site.as_("ada").get("/benchmarks").json()["items"]]
    assert listed == ["synthetic", "digits", "zebra"]


def test_resource_classes_are_listed_and_the_first_is_the_default(site: Site) -> None:
    """What a run may use."""
    found = site.as_("ada").get("/resource-classes").json()
    assert found["default"] == "small"
    assert found["items"][0] == {
        "name": "small",
        "cpus": 2,
        "memory_bytes": 4 * 1024**3,
        "gpus": "auto",
        "timeout_seconds": 1800,
        "output_bytes": 512 * 1024**2,
    }
    assert [item["name"] for item in found["items"]] == ["small", "medium"]
