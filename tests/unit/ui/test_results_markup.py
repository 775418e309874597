"""The results on a job's page: what of the report counts."""

from __future__ import annotations

import pytest

from client.api.models import Results
from client.api.provenance import Provenance
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


@pytest.mark.parametrize(
    ("held", "look"), [(True, "lb-notice-good"), (False, "lb-notice-passing"), (None, "lb-notice ")]
)
def test_a_rerun_says_whether_it_holds(front: Front, *, held: bool | None, look: str) -> None:
    """With a link to the first job, and every metric with all its digits; foreign text is text."""
    values = {"metrics": [], "measured": [], "board": None, "standing": None, "pictures": [], "benchmark_name": "b"}
    metric = {"name": "<b>", "old": 0.1, "new": 0.30000000000000004, "agreement": "differs", "tolerance": 0.001}
    rerun = {
        "of": "0" * 32,
        "holds": held,
        "words": "<i>",
        "metrics": [metric],
        "origins": [{"part": "<u>", "new": "2"}],
    }
    told = Results.model_validate({"job_id": "j", "rerun": rerun})
    html = front.templates.fill("results", results=told, **values)
    assert look in html
    assert f'href="/job?id={"0" * 32}"' in html
    assert "0.30000000000000004" in html
    assert "&lt;u&gt;: not noted → 2" in html
    assert not {"<b>", "<i>", "<u>"} & set(html.split())


def test_where_a_result_comes_from_is_text(front: Front) -> None:
    """Whatever an image, a config or the API says is no markup."""
    evil = "<script>alert(1)</script>"
    found = Provenance(job_id="j", code_sha256=evil, libraries={evil: evil}, unknown={evil: evil})
    html = front.templates.fill("provenance", provenance=found)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 5
