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
