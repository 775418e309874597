"""Jobs that are under way while a part fails, and what must be so afterwards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import docker

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.job import Job, JobState
from tests.docker.runner_site import PATIENCE_SECONDS, Site, ended, lines_of, until
from tests.running_gateway import Door
from tests.twin_runner import GOOD

LINES = [f"line {number}" for number in range(20)]


def program(seconds: float, number: int = 0) -> str:
    """Twenty numbered lines over that time, then a good end."""
    pause = seconds / len(LINES)
    return (
        f"import time  # {number}\nfor n in range({len(LINES)}):\n"
        f"    print('line', n, flush=True)\n    time.sleep({pause})\n" + GOOD
    )


def assert_settled(site: Site, ids: Sequence[str], mlflow_url: str, inner: docker.DockerClient) -> list[Job]:
    """All completed in their first attempt, one run each, every line once, nothing left anywhere."""
    jobs = [ended(site, job_id) for job_id in ids]
    assert [(job.state, job.attempt) for job in jobs] == [(JobState.COMPLETED, 1)] * len(ids), site.words()
    assert [lines_of(site.log(job_id)) for job_id in ids] == [LINES] * len(ids), site.words()
    assert [site.log(job_id).count("Ended:") for job_id in ids] == [1] * len(ids)
    with closing(MlflowTracking(mlflow_url)) as tracking:
        runs = list(tracking._search(tracking._experiment(site.benchmark), ""))
    assert sorted(run["info"]["run_id"] for run in runs) == sorted(job.run_id or "" for job in jobs)
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    until(lambda: site.left_on_disk() == [], "no folder is left")
    label = {"label": f"leadersboard.site={site.ledger.ledger_id()}"}
    until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "no container is left")
    until(lambda: not inner.volumes.list(filters=label), "no volume is left")
    return jobs


def readiness(door: Door) -> tuple[int, str]:
    """The status, and what is said of Redis."""
    with door.client() as anybody:
        answer = anybody.get("/health/ready")
    return answer.status_code, str(answer.json()["dependencies"]["redis"])


def begun(site: Site, job_id: str) -> None:
    until(lambda: "line 3" in site.log(job_id), "the job runs")


@dataclass
class Poster:
    """One who posts a job over HTTP under a key, again and again until it is accepted, as our client does."""

    door: Door
    benchmark: str
    key: str
    submission_id: str
    refused: int = 0

    def ask(self) -> str | None:
        """The job, or None for a refusal that says in our words when to come again."""
        config = {"benchmark": self.benchmark, "resource_class": "small"}
        wanted = {"submission_id": self.submission_id, "config": config}
        with self.door.client() as ann:
            answer = ann.post("/jobs", json=wanted, headers={"Idempotency-Key": self.key})
        if answer.status_code == 202:
            return str(answer.json()["job_id"])
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
        assert answer.json()["code"] == "unavailable"
        assert int(answer.headers["retry-after"]) > 0
        self.refused += 1
        return None

    def insist(self) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (job_id := self.ask()) is None:
            assert time.monotonic() < deadline, "refused for too long"
            time.sleep(0.2)
        return job_id
