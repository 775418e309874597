"""What people can ask for, on twins in memory: rules, rights and the order of steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from core.domain.errors import Conflict, InvalidInput, LimitReached, NotFinished, NotFound, Unavailable
from core.domain.job import JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.metrics import RunMetrics
from core.domain.user import Role, User
from core.ports.tracking import Result
from core.usecases.create_submission import CreateSubmission
from core.usecases.enqueue_job import EnqueueJob
from core.usecases.get_job_results import GetJobResults
from core.usecases.jobs import CancelJob, GetJobStatus, ListJobs, ReadJobLog
from core.usecases.show_leaderboard import ShowLeaderboard
from core.wiring import Ports
from tests.builders import MAIN, job, job_id, later, ports, request, upload

pytestmark = pytest.mark.unit

ADA, BOB, ROOT = User(user_id="ada"), User(user_id="bob"), User(user_id="root", role=Role.ADMIN)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Ports on twins, one submission of ada's, and the use cases as the gateway builds them."""

    ports: Ports
    submission_id: str

    def enqueue(self, user: User = ADA, config: dict[str, Any] | None = None, **options: Any) -> Any:
        usecase = EnqueueJob(
            storage=self.ports.storage,
            job_status=self.ports.job_status,
            job_queue=options.pop("job_queue", self.ports.job_queue),
            benchmarks=self.ports.benchmarks,
            limits=options.pop("limits", UserLimits()),
            resource_classes=["small", "medium"],
            default_benchmark="synthetic",
        )
        return usecase(user, options.pop("submission_id", self.submission_id), config or {}, **options)

    def run(self) -> Any:
        """Claim the next job, as a runner would."""
        return self.ports.job_status.claim("small", worker="w", lease_seconds=60, running_limit=9)

    def finish(self, value: float = 0.5, user: User = ADA, **config: Any) -> str:
        """A whole run with that image_auc; answers its job's id."""
        self.enqueue(user, config)
        claim = self.run()
        metrics = RunMetrics(params={"method": "padim"}, metrics={"image_auc": value}, performance={})
        ref = self.ports.tracking.record(Result(job=claim.job, metrics=metrics, measured={"wall_seconds": 2.0}))
        self.ports.job_status.finish(claim, Outcome(state=JobState.COMPLETED, run_id=ref.run_id))
        return claim.job_id


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = ports(tmp_path)
    made = CreateSubmission(storage=found.storage)(upload())
    return Site(ports=found, submission_id=made.submission_id)


def test_an_upload_is_checked_before_it_is_stored(site: Site, tmp_path: Path) -> None:
    """SUB-2: bad names never reach the storage."""
    before = sorted((tmp_path / "submissions").iterdir())
    with pytest.raises(InvalidInput):
        CreateSubmission(storage=site.ports.storage)(upload({"x.exe": b"", "main.py": MAIN}))
    assert sorted((tmp_path / "submissions").iterdir()) == before


def test_a_job_is_recorded_and_rung(site: Site) -> None:
    """JOB-1: pending, with the defaults, and one ring of its class's bell."""
    found = site.enqueue()
    assert found.created
    assert (found.job.state, found.job.resource_class, found.job.benchmark) == ("pending", "small", "synthetic")
    assert site.ports.job_queue.rings == {"small": 1}


def test_the_rest_of_the_configuration_are_overrides(site: Site) -> None:
    """JOB-1: class and benchmark are taken out, everything else reaches the run as it is."""
    config = {"resource_class": "medium", "benchmark": "synthetic", "epochs": 3, "deep": {"a": [1, None]}}
    found = site.enqueue(config=config)
    assert found.job.resource_class == "medium"
    assert found.job.overrides == {"epochs": 3, "deep": {"a": [1, None]}}
    assert config["resource_class"] == "medium"


def test_the_same_request_is_the_same_job(site: Site) -> None:
    """JOB-2: also when the defaults are named; a key makes a second one."""
    first = site.enqueue()
    again = site.enqueue(config={"benchmark": "synthetic", "resource_class": "small"})
    assert (again.created, again.job.job_id) == (False, first.job.job_id)
    assert site.enqueue(idempotency_key="second").job.job_id != first.job.job_id


def test_an_ended_job_is_answered_and_not_rung_again(site: Site) -> None:
    """JOB-2: the same request after the end answers that end."""
    ended = site.finish()
    rings = dict(site.ports.job_queue.rings)
    found = site.enqueue()
    assert (found.job.job_id, found.job.state) == (ended, JobState.COMPLETED)
    assert site.ports.job_queue.rings == rings


def test_a_broken_bell_loses_no_job(site: Site) -> None:
    """R8: once recorded, the job is accepted; the sweeper rings for it."""

    class Broken:
        def ring(self, _resource_class: str) -> None:
            raise Unavailable("The job queue")

    with structlog.testing.capture_logs() as logs:
        found = site.enqueue(job_queue=Broken())
    assert site.ports.job_status.get(found.job.job_id).state is JobState.PENDING
    assert [line["event"] for line in logs] == ["doorbell not rung"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"resource_class": "huge"}, "config.resource_class"),
        ({"resource_class": None}, "config.resource_class"),
        ({"resource_class": ["small"]}, "config.resource_class"),
        ({"resource_class": {"name": "small"}}, "config.resource_class"),
        ({"benchmark": "../synthetic"}, "config.benchmark"),
        ({"benchmark": ""}, "config.benchmark"),
        ({"benchmark": {}}, "config.benchmark"),
        ({"a": float("nan")}, "config"),
        ({"a": float("inf")}, "config"),
        ({"a": "\ud800"}, "config"),
        ({"\ud800": 1}, "config"),
        ({"a": "x" * 17_000}, "config"),
        ({"a": "é" * 9_000}, "config"),
    ],
)
def test_a_bad_configuration_names_its_field(site: Site, config: dict[str, Any], field: str) -> None:
    """SUB-2's rule for jobs: the field and what is allowed; nothing is recorded."""
    with pytest.raises(InvalidInput) as caught:
        site.enqueue(config=config)
    assert [fault.field for fault in caught.value.faults] == [field]
    assert site.ports.job_status.pending("small") == 0


def test_all_faults_of_a_configuration_come_at_once(site: Site) -> None:
    """One answer names them all."""
    with pytest.raises(InvalidInput) as caught:
        site.enqueue(config={"resource_class": "huge", "benchmark": "none", "a": float("nan")})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("levels", [21, 500, 900, 960, 2000, 5000])
def test_a_bottomless_configuration_is_refused(site: Site, levels: int) -> None:
    """Nesting that somebody further down could not write again is refused at the door."""
    value: Any = 1
    for _level in range(levels):
        value = [value]
    with pytest.raises(InvalidInput):
        site.enqueue(config={"a": value})


def test_a_site_without_benchmarks_says_so(site: Site, tmp_path: Path) -> None:
    """The rule tells what is offered, also when that is nothing."""
    (tmp_path / "benchmarks" / "synthetic" / "benchmark.yaml").unlink()
    with pytest.raises(InvalidInput, match="no benchmark yet"):
        site.enqueue()


def test_somebody_elses_submission_does_not_exist(site: Site) -> None:
    """JOB-10: the same answer as for an unknown one; an admin may run it, as their own job."""
    messages = []
    for submission_id in (site.submission_id, job_id(5)):
        with pytest.raises(NotFound) as caught:
            site.enqueue(BOB, submission_id=submission_id)
        messages.append(str(caught.value).replace(submission_id, "…"))
    assert messages[0] == messages[1]
    assert site.enqueue(ROOT).job.user_id == "root"


def test_limits_are_the_ledgers_to_count(site: Site) -> None:
    """JOB-4: the third job of a limit of two is refused, and the same request again is not."""
    limits = UserLimits(jobs_per_hour=2)
    for number in range(2):
        site.enqueue(config={"n": number}, limits=limits)
    with pytest.raises(LimitReached):
        site.enqueue(config={"n": 2}, limits=limits)
    assert not site.enqueue(config={"n": 1}, limits=limits).created


def test_a_users_running_job_refuses_or_queues_the_next(site: Site) -> None:
    """JOB-4: MAX_CONCURRENT_RUNNING, unless the site lets jobs wait."""
    site.enqueue()
    site.run()
    with pytest.raises(LimitReached):
        site.enqueue(config={"n": 1})
    assert site.enqueue(config={"n": 1}, limits=UserLimits(queue_when_over=True)).created


def test_only_the_owner_and_admins_see_a_job(site: Site) -> None:
    """JOB-10: status, log, results and cancel answer a stranger as if there were no such job."""
    mine = site.finish()
    ledger, storage = site.ports.job_status, site.ports.storage
    for ask in (
        GetJobStatus(job_status=ledger),
        lambda user, found: ReadJobLog(job_status=ledger, storage=storage)(user, found, tail_lines=9, offset=None),
        GetJobResults(job_status=ledger, tracking=site.ports.tracking, mlflow_url=""),
    ):
        ask(ADA, mine)
        ask(ROOT, mine)
        for found in (mine, job_id(77)):
            with pytest.raises(NotFound):
                ask(BOB, found)
    with pytest.raises(NotFound):
        CancelJob(job_status=ledger)(BOB, mine)


def test_only_a_pending_job_has_a_place_in_the_queue(site: Site) -> None:
    """JOB-5: 1 is next; None once it runs."""
    first = site.enqueue().job.job_id
    second = site.enqueue(config={"n": 1}).job.job_id
    status = GetJobStatus(job_status=site.ports.job_status)
    assert (status(ADA, first).queue_position, status(ADA, second).queue_position) == (1, 2)
    site.run()
    assert status(ADA, first).queue_position is None


def test_a_list_is_ones_own_and_an_admins_has_all(site: Site) -> None:
    """JOB-8: newest first."""
    mine = site.enqueue().job.job_id
    roots = site.enqueue(ROOT).job.job_id
    listing = ListJobs(job_status=site.ports.job_status)
    found = {
        user.user_id: [item.job_id for item in listing(user, state=None, limit=9, cursor=None).jobs]
        for user in (ADA, BOB, ROOT)
    }
    assert found == {"ada": [mine], "bob": [], "root": [roots, mine]}


def test_a_pending_job_is_cancelled_and_a_running_one_marked(site: Site) -> None:
    """JOB-8: cancelled at once, or as soon as its runner sees it; an ended job is a Conflict."""
    cancel = CancelJob(job_status=site.ports.job_status)
    pending = site.enqueue().job.job_id
    assert cancel(ADA, pending).job.state is JobState.CANCELLED
    running = site.enqueue(config={"n": 1}).job.job_id
    site.run()
    assert cancel(ADA, running).job.state is JobState.RUNNING
    assert cancel(ADA, running).job.cancel_requested
    ended = site.enqueue(config={"n": 2}, limits=UserLimits(queue_when_over=True)).job.job_id
    site.ports.job_status.finish(site.run(), Outcome(state=JobState.FAILED))
    with pytest.raises(Conflict):
        cancel(ADA, ended)


def test_a_log_is_read_from_its_end_or_from_a_byte(site: Site, tmp_path: Path) -> None:
    """JOB-6: offset 0 is an offset, too."""
    mine = site.enqueue().job.job_id
    read = ReadJobLog(job_status=site.ports.job_status, storage=site.ports.storage)
    assert read(ADA, mine, tail_lines=5, offset=None).text == ""
    (tmp_path / "logs" / f"{mine}.log").write_bytes(b"a\nb\nc\n")
    assert read(ADA, mine, tail_lines=1, offset=None).text == "c\n"
    assert read(ADA, mine, tail_lines=1, offset=0).text == "a\nb\nc\n"
    assert read(ADA, mine, tail_lines=1, offset=4).text == "c\n"


def test_results_link_to_the_run(site: Site) -> None:
    """JOB-7: ids, figures and links on the public address."""
    mine = site.finish(0.75)
    usecase = GetJobResults(job_status=site.ports.job_status, tracking=site.ports.tracking, mlflow_url="http://m")
    found = usecase(ADA, mine)
    assert found.mlflow_ui_url == f"http://m/#/experiments/{found.experiment_id}/runs/{found.run_id}"
    assert found.mlflow_api_url.endswith(f"run_id={found.run_id}")
    assert found.metrics["image_auc"] == 0.75
    assert found.params == {"method": "padim"}


def test_results_wait_for_the_end(site: Site) -> None:
    """Before the end NotFinished; a job that ended without a run has empty results; a dead server is Unavailable."""
    usecase = GetJobResults(job_status=site.ports.job_status, tracking=site.ports.tracking, mlflow_url="http://m")
    pending = site.enqueue().job.job_id
    with pytest.raises(NotFinished):
        usecase(ADA, pending)
    CancelJob(job_status=site.ports.job_status)(ADA, pending)
    site.ports.tracking.away = True
    assert usecase(ADA, pending).run_id is None
    site.ports.tracking.away = False
    done = site.finish(n=1)
    site.ports.tracking.away = True
    with pytest.raises(Unavailable):
        usecase(ADA, done)


def test_a_board_pages_through_its_rows(site: Site) -> None:
    """SCO-4: best per user or all, with the number of rows in all."""
    for number, value in enumerate([0.5, 0.9, 0.7]):
        site.finish(value, n=number)
    site.finish(0.8, ROOT)
    board = ShowLeaderboard(
        benchmarks=site.ports.benchmarks, tracking=site.ports.tracking, default_benchmark="synthetic"
    )
    ask = {"benchmark": None, "metric": None, "all_entries": True, "limit": 2, "offset": 1}
    page = board(**ask)
    assert ([row.value for row in page.standings], page.total) == ([0.8, 0.7], 4)
    assert [row.rank for row in page.standings] == [2, 3]
    best = board(**ask | {"all_entries": False, "offset": 0})
    assert [(row.entry.user_id, row.value) for row in best.standings] == [("ada", 0.9), ("root", 0.8)]
    assert board(**ask | {"offset": 99}).standings == ()
    slow = board(**ask | {"metric": "inference_time_ms", "offset": 0})
    assert [row.rank for row in slow.standings] == [None, None]


def test_a_board_of_an_unknown_benchmark_or_metric(site: Site) -> None:
    """NotFound for the one, InvalidInput with the allowed names for the other."""
    board = ShowLeaderboard(
        benchmarks=site.ports.benchmarks, tracking=site.ports.tracking, default_benchmark="synthetic"
    )
    with pytest.raises(NotFound):
        board(benchmark="none", metric=None, all_entries=False, limit=1, offset=0)
    with pytest.raises(InvalidInput, match="image_auc, inference_time_ms"):
        board(benchmark=None, metric="loss", all_entries=False, limit=1, offset=0)


def test_our_own_figures_cannot_be_overwritten_by_a_report(site: Site) -> None:
    """TRK-2: what a submission reports under `performance` never replaces what we measured ourselves."""
    metrics = RunMetrics(params={}, metrics={}, performance={"wall_seconds": 0.001, "inference_time_ms": 5.0})
    done = job(job_id=request().job_id, finished_at=later(1))
    ref = site.ports.tracking.record(Result(job=done, metrics=metrics, measured={"wall_seconds": 99.0}))
    recorded = site.ports.tracking.get_run(ref.run_id).metrics
    assert recorded == {"system/wall_seconds": 99.0, "system/inference_time_ms": 5.0}
