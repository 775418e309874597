"""kill -9 in the middle of what a runner starts beside its jobs: nothing is left soon after its return (BOX-10)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest
import redis

from core.adapters.files.folder_look import MARK
from core.domain.job import JobRequest, JobState
from core.domain.limits import SMALL
from core.domain.submission import Upload, UploadedFile
from runner.engine.docker_engine import DockerEngine
from tests.docker.altered_runner import altered
from tests.docker.dying_runner import BESIDE
from tests.docker.runner_site import SLOW, Site, ended, half_made, in_engine, kill_group, processes, until
from tests.docker.small_disk import SmallDisk
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

INSTALLS = {"way to the index", "installer"}
ROUNDS = 4
MOST_OF_ONE = 4
"""Things in the engine of one probe: its container, its holder, its volume; and the probe of the GPUs."""
FORGETS_SOON = altered(runner__lease__living_processes__KEPT_SECONDS=3)


@pytest.fixture
def site(site: Site) -> Site:
    """With one class, so that each start probes one, and with an index that does not answer."""
    site.environment |= {
        "RESOURCE_CLASSES": json.dumps([SMALL.model_copy(update={"requirements": True}).model_dump()]),
        "PIP_INDEX_URL": "http://192.0.2.1:8/simple",
    }
    return site


def pumps() -> set[str]:
    found = set()
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"engine/output/pump.py" in words.read_bytes():
                found.add(words.parent.name)
        except OSError:
            continue
    return found


def post_with_requirements(site: Site) -> str:
    files = [
        UploadedFile(name="main.py", content=io.BytesIO(GOOD.encode())),
        UploadedFile(name="requirements.txt", content=io.BytesIO(b"left-pad==1.0")),
    ]
    submission = site.storage.create_submission(Upload(user_id="ann", files=files), {})
    return site.admit(
        JobRequest(
            submission_id=submission.submission_id, user_id="ann", resource_class="small", benchmark=site.benchmark
        )
    )


def died(site: Site, step: str, number: int = 0) -> None:
    """A runner has killed itself there."""
    mark = site.root / f"died{number}"
    with site.runner("tests.docker.dying_runner:build", DIE_AT=step, DIED=str(mark)) as process:
        until(mark.exists, f"the runner has died: {step}")
        process.wait(60)


@pytest.mark.parametrize("step", BESIDE)
def test_nothing_of_a_killed_runner_is_left_after_its_return(site: Site, inner: docker.DockerClient, step: str) -> None:
    """In the engine, on disk, or among the files that say which processes live; and the runner that is back works."""
    job_id = post_with_requirements(site) if step in INSTALLS else site.post(GOOD)
    died(site, step)
    if step not in {"probe's program", "GPU probe"}:  # that one ends by itself, with its input
        assert in_engine(site, inner) or half_made(site), "there was nothing to clear away"
    with site.runner("tests.docker.altered_runner:build", ALTERED=FORGETS_SOON):
        job = ended(site, job_id)
        until(lambda: in_engine(site, inner) == [], "nothing is left in the engine")
        until(lambda: [*site.left_on_disk(), *half_made(site)] == [], "nothing is left on disk")
        until(lambda: len(processes(site)) == 1, "only the living process has a file")
    assert job.state is (JobState.FAILED if step in INSTALLS else JobState.COMPLETED), job


def test_a_runner_that_began_without_its_jobs_folder_is_known_when_it_dies_in_a_probe(
    site: Site, inner: docker.DockerClient
) -> None:
    """It could not say that it lives where the others look; it does as soon as the folder is mounted again."""
    mark = site.root / "died"
    with site.runner():
        until(lambda: '"event": "canary"' in site.words(), "the folder is marked")
    began = site.words().count("Worker process is ready")
    with SmallDisk(site.root / "jobs").gone(), ExitStack() as opened:
        dying = {"DIE_AT": "probe", "DIED": str(mark)}
        opened.enter_context(site.runner("tests.docker.dying_runner:build", **dying))
        until(lambda: site.words().count("Worker process is ready") > began, "it has begun")
        kept = opened.pop_all()
    with kept:
        until(mark.exists, "it has died")
    assert in_engine(site, inner), "there was nothing to clear away"
    with site.runner():
        until(lambda: in_engine(site, inner) == [], "nothing is left in the engine")


def test_a_loop_of_crashes_does_not_pile_up_probes(site: Site, inner: docker.DockerClient) -> None:
    """As seen: 26 containers and 18 volumes. Each start clears away what the one before it left, before it probes."""
    for number in range(ROUNDS):
        died(site, "probe", number)
        assert len(in_engine(site, inner)) <= MOST_OF_ONE
    with site.runner():
        until(lambda: in_engine(site, inner) == [], "nothing is left in the engine")


def test_two_processes_of_a_host_leave_each_others_living_probes_alone(site: Site, inner: docker.DockerClient) -> None:
    """Both find every wall as it should be, while a third one that died among them is cleared away."""
    died(site, "probe")
    with site.runner(processes=2):
        until(lambda: site.words().count('"event": "canary"') == 2, "both have probed")
        until(lambda: in_engine(site, inner) == [], "nothing is left in the engine")
    assert "wall does not hold" not in site.words()
    assert site.words().count('"ok": true') == 2


def test_no_pump_outlives_its_runner(site: Site) -> None:
    """The processes between the engine's stream and a runner have groups of their own, and end all the same."""
    before = pumps()
    job_id = site.post(SLOW)
    with site.runner() as first:
        until(lambda: "line 3" in site.log(job_id), "it runs")
        mine = pumps() - before
        assert mine
        kill_group(first)
    until(lambda: not mine & pumps(), "its pumps are gone")
    site.ledger.cancel(job_id)
    with site.runner():
        ended(site, job_id)
        until(lambda: site.left_on_disk() == [], "no folder is left")


@pytest.fixture
def emptied(site: Site, inner: docker.DockerClient) -> Iterator[tuple[Site, str]]:
    """The site and the name that its ledger had before."""
    former = site.ledger.ledger_id()
    yield site, former
    for box in inner.containers.list(all=True, filters={"label": f"leadersboard.site={former}"}, ignore_removed=True):
        box.remove(force=True)


def until_all_is_gone(site: Site, inner: docker.DockerClient, name: str) -> None:
    """Of that name in the engine, and on disk."""
    mine = {"label": f"leadersboard.site={name}"}
    until(lambda: not inner.containers.list(all=True, filters=mine, ignore_removed=True), "no container is left")
    until(lambda: not inner.volumes.list(filters=mine), "no volume is left")
    until(lambda: site.left_on_disk() == [], "no folder is left")


ENDLESS = "print('begun', flush=True)\nimport time; time.sleep(300)"


@pytest.mark.parametrize("runner_lives", [True, False])
def test_nothing_is_left_of_the_jobs_of_a_ledger_that_was_emptied(
    emptied: tuple[Site, str], inner: docker.DockerClient, redis_client: redis.Redis, *, runner_lives: bool
) -> None:
    """Its folders give it its name back; what runs under that is no known job's, and the next job runs."""
    site, name = emptied
    job_id = site.post(ENDLESS)
    with site.runner() as first:
        until(lambda: "begun" in site.log(job_id), "it runs")
        if not runner_lives:
            kill_group(first)
        redis_client.flushdb()
        site.ledger._ledger_id = ""  # the test has no part in the name
        if runner_lives:
            until(lambda: "lease lost; dropped" in site.words(), "its runner has noticed")
            assert ended(site, site.post(GOOD)).state is JobState.COMPLETED
    with site.runner():
        assert ended(site, site.post(GOOD + "# again\n")).state is JobState.COMPLETED
        until_all_is_gone(site, inner, name)
    assert site.ledger.ledger_id() == name


def test_nothing_is_left_of_a_ledger_that_has_another_name_since(
    emptied: tuple[Site, str], inner: docker.DockerClient, redis_client: redis.Redis
) -> None:
    """Emptied, and its folders are of a version that did not mark them: what ran under the former name is cleared."""
    site, former = emptied
    job_id = site.post(ENDLESS)
    with site.runner() as first:
        until(lambda: "begun" in site.log(job_id), "it runs")
        kill_group(first)
    redis_client.flushdb()
    site.ledger._ledger_id = ""
    for name in ("logs", "jobs", "submissions"):
        (site.root / name / MARK).unlink(missing_ok=True)
    with site.runner():
        assert ended(site, site.post(GOOD)).state is JobState.COMPLETED
        until_all_is_gone(site, inner, former)
    assert site.ledger.ledger_id() != former


def test_asking_for_devices_leaves_nothing_behind(
    engine: DockerEngine, inner: docker.DockerClient, fresh_name: str
) -> None:
    """The probe for GPUs is removed, also where it cannot start, or finds none."""
    assert engine.gpu_memory() == {}
    mine = {"label": f"leadersboard.site={fresh_name}"}
    assert not inner.containers.list(all=True, filters=mine, ignore_removed=True)
