"""What becomes HTML: numbers for people, and foreign text as text."""

from typing import Any

import pytest

from client.api.boards import Benchmark, Board, Metric, ResourceClass, Weights
from client.api.errors import NotFound, NotSignedIn, Problem, Unreachable
from client.api.models import Job, JobPage, Results, Submission, Tracking
from tests.unit.client.fake_platform import SUBMISSION
from tests.unit.client.fake_platform import job as job_answer
from tests.unit.ui.front import Front
from ui.markup import figure, measurement, web_link
from ui.notices import notice_of
from ui.pages.timeline import steps_of
from ui.run_files import pictures_of

pytestmark = pytest.mark.unit

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>${alert(1)}{{alert(1)}}"
SHARE = Metric(name="image_auc", minimum=0, maximum=1)
TIME = Metric(name=EVIL, direction="minimize", unit=EVIL)


def job(**changes: Any) -> Job:
    return Job.model_validate(job_answer(**changes))


def benchmark() -> Benchmark:
    return Benchmark(
        name="b", title=EVIL, description=EVIL, primary_metric=EVIL, categories=(EVIL,), metrics=(SHARE, TIME)
    )


def board(**changes: Any) -> Board:
    row = {"rank": 1, "user_id": EVIL, "job_id": EVIL, "submission_id": EVIL, "method": EVIL, "value": 0.5}
    row |= {
        "metrics": {EVIL: 2.0},
        "mine": True,
        "finished_at": "2026-01-02T03:04:05Z",
        "mlflow_ui_url": "javascript:alert(1)",
    }
    return Board.model_validate({"benchmark": EVIL, "metric": "image_auc", "items": [row], "total": 1} | changes)


def machine() -> ResourceClass:
    return ResourceClass(name=EVIL, cpus=1, memory_bytes=1, timeout_seconds=1)


def uploaded() -> Submission:
    return Submission.model_validate(SUBMISSION | {"submission_id": EVIL})


def pages(front: Front) -> dict[str, str]:
    """Every template, filled with hostile values."""
    fill = front.templates.fill
    hostile = job(job_id=EVIL, submission_id=EVIL, user_id=EVIL, benchmark=EVIL, resource_class=EVIL, device=EVIL)
    failed = job(job_id=EVIL, status="failed", failure_reason=EVIL, error_message=EVIL)
    results = Results(
        job_id=EVIL, params={EVIL: EVIL}, artifacts=({"path": EVIL, "size_bytes": 1},), mlflow_ui_url=EVIL,
        notes=(EVIL,), ranked=False, unranked_because=EVIL,
    )  # fmt: skip
    error = NotFound(Problem(status=404, code=EVIL, detail=EVIL, request_id=EVIL))
    return {
        "board": fill("board", board=board(), benchmark=benchmark(), entries="best", offset=0, is_admin=True),
        "jobs": fill("jobs", page=JobPage(items=(hostile, failed)), state=EVIL, is_admin=True),
        "no jobs": fill("jobs", page=JobPage(items=()), state=EVIL, is_admin=True),
        "job": fill("job", job=hostile, steps=steps_of(hostile), is_admin=True),
        "failed job": fill("job", job=failed, steps=steps_of(failed), is_admin=True),
        "results": fill(
            "results",
            results=results,
            benchmark_name=EVIL,
            metrics=[(EVIL, 1.0, TIME)],
            measured=[(EVIL, 1.0)],
            pictures=[EVIL],
            board=board(),
            standing=None,
        ),
        "submit": fill(
            "submit", benchmarks=[benchmark()], resources=[machine()], default=EVIL, weights=[Weights(name=EVIL)]
        ),
        "submitted": fill("submitted", job=hostile, submission=uploaded(), is_old=False),
        "header": fill("header", here="/", user={"user_id": EVIL, "is_admin": True}),
        "notice": notice_of(front.templates, error, what="The job could not be read"),
    }


def test_no_foreign_text_becomes_markup(front: Front) -> None:
    """Whatever users, submissions or the API say is text on every page, never a tag, an attribute or a script link."""
    for name, html in pages(front).items():
        assert "<script" not in html, name
        assert "<img" not in html.replace('<img src="/jobs/', ""), name
        assert "javascript:" not in html, name
        assert "&lt;script&gt;" in html or name in {"job", "no jobs", "submitted"}, name


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [
        (None, SHARE, "–"),
        (1.0, SHARE, "1.0000"),
        (0.98765, SHARE, "0.9877"),
        (0.0, SHARE, "0.0000"),
        (0.0, TIME, "0"),
        (57.0923, TIME, "57.09"),
        (1234.5, TIME, "1,234"),
        (123456.0, None, "123,456"),
        (-0.5, None, "-0.5000"),
    ],
)
def test_numbers_have_four_digits(value: float | None, metric: Metric | None, shown: str) -> None:
    """Numbers align within their column and show no more digits than mean something."""
    assert figure(value, metric) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("memory_bytes", 812_000_000.0, "774 MiB"),
        ("gpu_memory_bytes", 3 * 2.0**30, "3 GiB"),
        ("log_bytes", 412.0, "412 B"),
        ("output_bytes", 1_234_567.0, "1.2 MB"),
        ("wall_seconds", 150.2, "2 min 30 s"),
        ("pids", 4.0, "4"),
        ("output_files", 12_345.0, "12,345"),
        ("training_loss", 0.25, "0.2500"),
    ],
)
def test_a_measurement_has_the_unit_of_its_name(name: str, value: float, shown: str) -> None:
    """A count is a whole number, and a small file is no 0 MiB."""
    assert measurement(value, name) == shown


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "data:text/html,x", "//evil", "/relative"])
def test_only_web_addresses_are_links(url: str | None) -> None:
    """Any other scheme gives no link at all."""
    assert web_link(url) == ""
    assert web_link("http://mlflow/#/x") == "http://mlflow/#/x"


def test_states_are_words(front: Front) -> None:
    """A pill says its state in a word; the colour only helps."""
    for state in ("pending", "running", "completed", "failed", "cancelled"):
        one = job(status=state)
        assert f">{state}</span>" in front.templates.fill("job", job=one, steps=steps_of(one), is_admin=False)


def test_times_are_relative_and_exact(front: Front) -> None:
    """A relative time carries the exact one."""
    html = front.templates.fill("jobs", page=JobPage(items=(job(),)), state="", is_admin=False)
    assert 'title="2026-01-02 03:04:05 UTC"' in html


def test_empty_pages_tell_what_to_do(front: Front) -> None:
    """An empty list leads to the next step."""
    html = front.templates.fill("jobs", page=JobPage(items=()), state="", is_admin=False)
    assert 'href="/submit"' in html
    empty = board(items=[], total=0)
    html = front.templates.fill("board", board=empty, benchmark=benchmark(), entries="best", offset=0, is_admin=False)
    assert 'href="/submit"' in html


def test_an_unranked_row_is_never_first(front: Front) -> None:
    """A row without a rank shows a dash that explains itself."""
    rows = [{"user_id": "u", "job_id": "j", "submission_id": "s"}]
    html = front.templates.fill(
        "board", board=board(items=rows), benchmark=benchmark(), entries="best", offset=0, is_admin=False
    )
    assert "Unranked: image_auc is missing or out of bounds" in html


def test_only_a_board_of_verified_scores_says_so(front: Front) -> None:
    """DOR-3: whatever else the API says, the badge says that nobody checked them."""
    html = front.templates.fill(
        "board", board=board(scoring="verified"), benchmark=benchmark(), entries="best", offset=0, is_admin=False
    )
    assert "the platform computed these numbers itself" in html
    assert "Nobody has checked" not in html
    for scoring in ("reported", "anything"):
        html = front.templates.fill(
            "board", board=board(scoring=scoring), benchmark=benchmark(), entries="best", offset=0, is_admin=False
        )
        assert "Nobody has checked" in html
        assert "computed" not in html
        assert "erified" not in html


@pytest.mark.parametrize(
    ("state", "words"), [("changed", "changed in MLflow"), ("missing", "missing in MLflow"), ("as_recorded", "")]
)
def test_what_was_changed_in_mlflow_is_said(front: Front, state: str, words: str) -> None:
    """DOR-3: a quiet badge in words, with hostile names as text; nothing where the run is as recorded or unknown."""
    tracking = {"state": state, "differences": ["param <script>x</script> is 1, recorded 2"]}
    rows = [{"user_id": "u", "job_id": "j", "submission_id": "s", "tracking": tracking}]
    shown = front.templates.fill(
        "board", board=board(items=rows), benchmark=benchmark(), entries="best", offset=0, is_admin=False
    ) + front.templates.fill(
        "results", results=Results(job_id="j", tracking=Tracking(**tracking)), standing=None, board=None, metrics=[],
        measured=[], pictures=[],
    )  # fmt: skip
    assert "<script>" not in shown
    assert shown.count(words) >= 2 if words else "in MLflow</span>" not in shown
    assert ("nothing in MLflow changes them" in shown) == bool(words)


def test_own_rows_lead_to_their_job(front: Front) -> None:
    """A reader sees links to own jobs only; an administrator to all."""
    others = board(items=[{"user_id": "bob", "job_id": "j9", "submission_id": "s", "mine": False}])

    def html(*, is_admin: bool) -> str:
        return front.templates.fill(
            "board", board=others, benchmark=benchmark(), entries="best", offset=0, is_admin=is_admin
        )

    assert "/job?id=j9" not in html(is_admin=False)
    assert "/job?id=j9" in html(is_admin=True)


def test_notices_say_what_to_do(front: Front) -> None:
    """A notice names what failed and the next step, and never where the API is called from."""
    away = notice_of(front.templates, Unreachable("The API at http://gateway:8010/jobs cannot be reached"), what="Jobs")
    assert "gateway" not in away
    assert "tries again by itself" in away
    ended = notice_of(front.templates, NotSignedIn(Problem(status=401, code="x", detail="Ended.")), what="Jobs")
    assert 'href="/login"' in ended


def test_files_are_links_and_a_cut_list_says_so(front: Front) -> None:
    """FLD-7: every file opens under its own name, pictures are shown, and 1 of 1,725 is no list of all."""
    results = Results(
        job_id="j",
        tracking=Tracking(),
        artifacts=({"path": "曲線/roc #1?.png", "size_bytes": 1},),
        artifacts_total=1725,
    )
    shown = front.templates.fill(
        "results", results=results, standing=None, board=None, metrics=[], measured=[], pictures=pictures_of(results)
    )
    address = "/jobs/j/files/%E6%9B%B2%E7%B7%9A/roc%20%231%3F.png"
    assert shown.count(f'href="{address}"') == 2
    assert f'<img src="{address}"' in shown
    assert "1 of 1,725 files: curves, maps and logs first." in shown
    assert pictures_of(results.model_copy(update={"artifacts_available": False})) == []
