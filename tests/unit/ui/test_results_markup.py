"""The results on a job's page: what of the report counts."""

from __future__ import annotations

import pytest

from client.api.models import Results
from tests.unit.ui.front import Front

pytestmark = pytest.mark.unit


def test_the_results_say_what_does_not_count(front: Front) -> None:
    """FLD-3, FLD-4: each note, and why the run is not ranked; no box where there is nothing to say."""
    values = {
        "metrics": [],
        "measured": [],
        "board": None,
        "standing": None,
        "pictures": [],
        "benchmark_name": "synthetic",
    }
    told = Results(job_id="j", notes=("image_AUROC was taken for image_auc.",), ranked=False, unranked_because="why")
    html = front.templates.fill("results", results=told, **values)
    assert "<li>image_AUROC was taken for image_auc.</li>" in html
    assert "Not ranked on synthetic" in html
    assert "<div>why</div>" in html
    assert "lb-notice" not in front.templates.fill("results", results=Results(job_id="j", ranked=True), **values)


def test_the_config_stands_apart_from_the_reported_params(front: Front) -> None:
    """Names without the platform's prefix, every value escaped; no heading where there is nothing."""
    values = {"metrics": [], "measured": [], "board": None, "standing": None, "pictures": [], "benchmark_name": "b"}
    told = Results(job_id="j", params={"method": "m", "config/lr": "<b>", "config/model.x": "1"})
    html = front.templates.fill("results", results=told, **values)
    reported, _heading, config = html.partition("<h3>Config, with overrides</h3>")
    assert "<td>method</td>" in reported
    assert "<td>lr</td>" not in reported
    assert '<td>lr</td><td class="lb-value">&lt;b&gt;</td>' in config
    assert "Config" not in front.templates.fill("results", results=Results(job_id="j", params={"a": "1"}), **values)
