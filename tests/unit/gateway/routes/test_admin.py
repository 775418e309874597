"""What admins see and do: runners, queues, failed steps."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from core.domain.dead_letter import failure_of
from core.domain.errors import Unavailable
from core.domain.job import JobState, Outcome
from core.domain.runners import (
    ClassFigures,
    DiskFigures,
    HostReport,
    OldPart,
    RunnerReport,
    RunnerState,
    SandboxFigures,
)
from core.domain.verdict import FailureReason
from tests.sites import Site

pytestmark = pytest.mark.unit


CALLS = [
    ("GET", "/admin/overview"),
    ("GET", "/admin/runners"),
    ("GET", "/admin/runners/box:1"),
    ("POST", "/admin/runners/box:1/pause"),
    ("POST", "/admin/runners/box:1/drain"),
    ("POST", "/admin/runners/box:1/resume"),
    ("POST", "/admin/runners/box:1/canary"),
    ("GET", "/admin/dead-letters"),
    ("POST", f"/admin/dead-letters/{'0' * 32}/retry"),
    ("DELETE", f"/admin/dead-letters/{'0' * 32}"),
]


SMALL = ClassFigures(name="small", cpus=2, memory_bytes=1, gpus="auto", timeout_seconds=60)


def there(site: Site, name: str = "box:1", state: RunnerState = RunnerState.READY) -> None:
    since = datetime.now(UTC)
    report = RunnerReport(name=name, host="engine", version="1", since=since, state=state, classes=(SMALL,))
    site.ports.runners.publish(report)


def failed_by_the_platform(site: Site) -> tuple[str, str]:
    """A job, and the letter that its last attempt left."""
    job_id = site.post_job()
    outcome = Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message="x", refund=True)
    site.ports.job_status.finish(site.claim(), outcome)
    letter = site.ports.dead_letters.keep(failure_of("run job", OSError("full"), job_id=job_id, user_id="ada"))
    return job_id, letter.letter_id


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if "box:1" in call[1] or "0000" in call[1]])
def test_what_is_not_there_is_404(site: Site, method: str, path: str) -> None:
    assert site.as_("root").request(method, path).status_code == 404


def test_runners_and_sandboxes_are_listed(site: Site) -> None:
    """BOX-11: each sandbox with its figures and security options."""
    there(site)
    sandbox = SandboxFigures(
        name="job-x", job_id="x", user_id="ann", attempt=1, image="i", status="running", age_seconds=2,
        cpu_percent=50, memory_bytes=7, pids=3, security=("network none",),
    )  # fmt: skip
    disk = DiskFigures(name="logs", free_bytes=1, total_bytes=2)
    site.ports.runners.publish_host(HostReport(host="engine", sandboxes=(sandbox,), disks=(disk,)))
    answer = site.as_("root").get("/admin/runners").json()
    assert [(one["name"], one["state"], one["wish"], one["silent"]) for one in answer["runners"]] == [
        ("box:1", "ready", "run", False)
    ]
    assert (
        answer["hosts"][0]["sandboxes"][0] | {"security": ["network none"], "pids": 3}
        == answer["hosts"][0]["sandboxes"][0]
    )
    detail = site.as_("root").get("/admin/runners/box:1").json()
    assert detail["host"]["disks"] == [{"name": "logs", "free_bytes": 1, "total_bytes": 2, "fault": None}]


def test_a_runner_is_paused_drained_and_resumed(site: Site) -> None:
    """Issue 5: by its own name or by its host's; a resume rings for what waits."""
    there(site)
    there(site, "box:2")
    root = site.as_("root")
    assert root.post("/admin/runners/box:1/pause").json()["runners"][0]["wish"] == "pause"
    wishes = {one["name"]: one["wish"] for one in root.post("/admin/runners/engine/drain").json()["runners"]}
    assert wishes == {"box:1": "drain", "box:2": "drain"}
    root.post("/admin/runners/engine/resume")
    site.ports.job_queue.rings.clear()  # type: ignore[attr-defined]
    assert root.post("/admin/runners/box:1/resume").json()["runners"][0]["wish"] == "run"
    assert not site.ports.job_queue.silent("small")


def test_a_canary_is_asked_of_the_host(site: Site) -> None:
    """BOX-12: on demand."""
    there(site)
    assert site.as_("root").post("/admin/runners/box:1/canary").status_code == 202
    assert site.ports.runners.take_canary("engine")


def test_the_overview_counts(site: Site) -> None:
    """UI-7: queues, runners, failed steps."""
    there(site)
    site.post_job()
    site.post_job("bob")
    site.claim()
    failure = failure_of("sweep", OSError("x"))
    site.ports.dead_letters.keep(failure)
    answer = site.as_("root").get("/admin/overview").json()
    assert answer["queues"][0] == {"resource_class": "small", "waiting": 1, "running": 1, "runners_ready": 1}
    assert answer["queues"][1]["runners_ready"] == 0
    assert (answer["runners"], answer["runners_ready"], answer["dead_letters"]) == (1, 1, 1)


@pytest.mark.parametrize("allowed", [False, True])
def test_the_overview_shows_engines_that_are_too_old(site: Site, allowed: bool) -> None:  # noqa: FBT001
    """Host, part, version, floor, and what to do; of one that was silent for long nothing is said."""
    old = OldPart(part="runc", version="", floor="1.3.6", why="before it, links could lead elsewhere")
    site.ports.runners.publish_host(HostReport(host="engine", old=(old,), old_engine_allowed=allowed))
    notices = site.as_("root").get("/admin/overview").json()["notices"]
    (found,) = [one for one in notices if one["kind"] == "old_engine"]
    assert (found["host"], found["part"], found["version"], found["floor"]) == ("engine", "runc", "", "1.3.6")
    assert "runc of an unknown version is older than 1.3.6" in found["text"]
    assert (found["kind"], found["takes_jobs"]) == ("old_engine", allowed)
    assert ("No job is begun" in found["advice"]) is not allowed
    assert "ALLOW_OLD_ENGINE" in found["advice"]


def test_a_dead_letter_tells_the_way_to_it_and_no_value(site: Site) -> None:
    """Issue 5: with its traceback; a local's value or a line of source is in none of it."""
    secret = "hunter2-hunter2"

    def breaks(password: str) -> None:
        raise ValueError("no") from OSError(len(password))

    with pytest.raises(ValueError, match="no") as caught:
        breaks(secret)
    site.ports.dead_letters.keep(failure_of("run job", caught.value, process="box:1"))
    answer = site.as_("root").get("/admin/dead-letters").json()
    (letter,) = answer["items"]
    assert (letter["step"], letter["error"], letter["message"], letter["count"]) == ("run job", "ValueError", "no", 1)
    assert letter["frames"][-1].endswith("in breaks")
    assert secret not in str(answer)


def test_a_retried_letter_is_a_new_job_that_does_not_count(site: Site) -> None:
    """Issue 5: the failed job stays as it is; the new one is its user's, and is no job of the admin's."""
    job_id, letter_id = failed_by_the_platform(site)
    answer = site.as_("root").post(f"/admin/dead-letters/{letter_id}/retry")
    assert answer.status_code == 202
    assert (answer.json()["user_id"], answer.json()["rerun_of"]) == ("ada", job_id)
    assert site.ports.job_status.get(job_id).state is JobState.FAILED
    used = site.ports.rate_limit.allowance("ada", site.state.settings.user_limits)
    assert used.remaining == used.limit
    assert site.as_("root").get("/admin/dead-letters").json()["total"] == 0


def test_a_retried_rerun_of_anothers_submission_stays_its_askers(site: Site) -> None:
    """An admin had repeated a user's job; no other user gets to see that submission by it."""
    original = site.run()
    rerun = site.as_("root").post(f"/jobs/{original}/rerun").json()["job_id"]
    outcome = Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message="x", refund=True)
    site.ports.job_status.finish(site.claim(), outcome)
    letter = site.ports.dead_letters.keep(failure_of("run job", OSError("full"), job_id=rerun, user_id="root"))
    answer = site.as_("root").post(f"/admin/dead-letters/{letter.letter_id}/retry")
    assert (answer.status_code, answer.json().get("user_id"), answer.json().get("rerun_of")) == (202, "root", rerun)
    assert site.as_("bob").get(f"/jobs/{answer.json()['job_id']}/status").status_code == 404


@pytest.mark.parametrize("state", ["pending", "completed", "none"])
def test_what_needs_no_retry_is_refused(site: Site, state: str) -> None:
    """409 in words: it runs again by itself, has ended well, or belongs to no job."""
    job_id = None if state == "none" else site.run() if state == "completed" else site.post_job()
    letter = site.ports.dead_letters.keep(failure_of("run job", OSError("x"), job_id=job_id))
    assert site.as_("root").post(f"/admin/dead-letters/{letter.letter_id}/retry").status_code == 409
    assert site.as_("root").delete(f"/admin/dead-letters/{letter.letter_id}").status_code == 204
    assert site.ports.dead_letters.page().total == 0


def test_redis_away_is_503(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("x")

    monkeypatch.setattr(type(site.ports.runners), "runners", lambda _self: away())
    assert site.as_("root").get("/admin/runners").status_code == 503


def test_a_silent_runner_counts_nowhere(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the list, in the counts, in the metrics and in what an admin is noticed of, it is silent and nothing else."""
    monkeypatch.setattr(site.ports.job_status, "clock_skew", lambda: 0.0)
    there(site, "dead:1")
    site.ports.runners.publish_host(
        HostReport(host="engine", disks=(DiskFigures(name="l", free_bytes=1, total_bytes=2),))
    )
    site.ports.runners.clock = lambda: time.monotonic() + 30  # type: ignore[attr-defined]
    there(site, "box:1")
    root = site.as_("root")
    answer = root.get("/admin/overview").json()
    assert (answer["runners"], answer["runners_ready"], answer["disks"]) == (1, 1, [])
    assert [(one["kind"], one["host"], one["text"], one["takes_jobs"]) for one in answer["notices"]] == [
        ("runner", "engine", "Runner dead:1 takes no jobs: no report for 30 s; the last one said ready", False),
        ("host", "engine", "No runner of this host has reported for 30 s.", False),
    ]
    assert all(one["advice"] for one in answer["notices"])
    states = {one["name"]: (one["state"], one["jobs"]) for one in root.get("/admin/runners").json()["runners"]}
    assert states == {"box:1": ("ready", []), "dead:1": ("silent", [])}
    text = root.get("/metrics").text
    assert 'leadersboard_runners{state="silent"} 1.0' in text
    assert 'leadersboard_runners{state="ready"} 1.0' in text
    assert "leadersboard_runners_ready 1.0" in text


@pytest.mark.parametrize(("skew", "words"), [(4.9, None), (-7.0, "7 s behind"), (86_400.0, "86400 s ahead of")])
def test_clocks_that_differ_are_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, skew: float, words: str | None
) -> None:
    """Above 5 s, the gateway's and each host's; below only as figures."""
    monkeypatch.setattr(site.ports.job_status, "clock_skew", lambda: skew)
    site.ports.runners.publish(
        RunnerReport(
            name="box:1", host="engine", version="1", since=datetime.now(UTC), state=RunnerState.READY,
            clock_skew_seconds=skew,
        )
    )  # fmt: skip
    root = site.as_("root")
    answer = root.get("/admin/overview").json()
    assert answer["clock_skew_seconds"] == skew
    assert [(one["kind"], one["host"], one["text"]) for one in answer["notices"]] == (
        [
            ("clock", "", f"The clock of the gateway is {words} the ledger's (Redis)."),
            ("clock", "engine", f"The clock of this host is {words} the ledger's (Redis)."),
        ]
        if words
        else []
    )
    assert root.get("/admin/runners").json()["runners"][0]["clock_skew_seconds"] == skew
    text = root.get("/metrics").text
    assert f'leadersboard_clock_skew_seconds{{host="engine"}} {skew}' in text
    assert f'leadersboard_clock_skew_seconds{{host="gateway"}} {skew}' in text
