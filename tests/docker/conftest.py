"""The real inner engine, and a folder that it sees at the same path as we do."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
import redis

from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from tests.conftest import REPOSITORY, redis_url, service
from tests.docker.runner_site import Site
from tests.twin_runner import TwinRunner, jobs_in

SECCOMP = (REPOSITORY / "seccomp.json").read_text()


@pytest.fixture(scope="session")
def image() -> str:
    return service("LEADERSBOARD_TEST_SANDBOX_IMAGE")


@pytest.fixture(scope="session")
def inner() -> Iterator[docker.DockerClient]:
    """The inner engine as an onlooker sees it."""
    client = docker.DockerClient(base_url=service("LEADERSBOARD_TEST_ENGINE"))
    yield client
    client.close()


@pytest.fixture
def built(inner: docker.DockerClient, image: str, fresh_name: str) -> Iterator[Callable[[str], str]]:
    """Builds an image from the sandbox's and these lines of a Dockerfile; it is removed after the test."""
    made: list[str] = []

    def build(lines: str) -> str:
        name = f"{fresh_name}:trial{len(made)}"
        inner.images.build(
            fileobj=io.BytesIO(f"FROM {image}\nUSER root\n{lines}\n".encode()), tag=name, rm=True, forcerm=True
        )
        made.append(name)
        return name

    yield build
    for name in made:
        inner.images.remove(name, force=True)


@pytest.fixture
def engine_of(
    inner: docker.DockerClient, built: Callable[[str], str], fresh_name: str
) -> Iterator[Callable[[str], DockerEngine]]:
    """An engine whose images have these lines of a Dockerfile, and devices by CDI."""
    if not inner.info().get("CDISpecDirs"):
        pytest.skip("the engine has no CDI: scripts/setup builds one that does")
    made: list[DockerEngine] = []

    def open_engine(lines: str) -> DockerEngine:
        means = EngineMeans(gpu_access="cdi")
        made.append(DockerEngine(
            service("LEADERSBOARD_TEST_ENGINE"), site=fresh_name, image=built(lines), seccomp=SECCOMP, means=means
        ))  # fmt: skip
        return made[-1]

    yield open_engine
    for engine in made:
        engine.close()


@pytest.fixture
def engine(image: str, fresh_name: str) -> Iterator[DockerEngine]:
    found = DockerEngine(service("LEADERSBOARD_TEST_ENGINE"), site=fresh_name, image=image, seccomp=SECCOMP)
    yield found
    found.close()


@pytest.fixture
def engine_folder(fresh_name: str) -> Iterator[Path]:
    """A new folder at a path that means the same here and in the engine."""
    folder = Path(service("LEADERSBOARD_TEST_ROOT")) / "work" / fresh_name
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def runner(
    engine_folder: Path, engine: DockerEngine, image: str, fresh_name: str
) -> Iterator[TwinRunner[DockerEngine]]:
    """A runner on the real engine; after each test the engine must hold nothing of it (BOX-10)."""
    started = TwinRunner(engine_folder, engine, image=image, site=fresh_name)
    yield started
    for _try in range(20):  # the engine answers removals a moment before they show
        if not jobs_in(engine):
            break
        time.sleep(0.1)
    left = jobs_in(engine)
    for job_id in left:
        engine.remove_leftovers(job_id)
    assert not left, f"left in the engine: {left}"


@contextmanager
def opened_site(root: Path, redis_url: str, mlflow_url: str, image: str, name: str) -> Iterator[Site]:
    """A site of that name; afterwards the engine must hold nothing of it (BOX-10)."""
    made = Site(root, redis_url, mlflow_url, image, name)
    cleaner = DockerEngine(service("LEADERSBOARD_TEST_ENGINE"), site=made.ledger.ledger_id(), image=image, seccomp="{}")
    try:
        yield made
        left = jobs_in(cleaner)
        assert not left, f"left in the engine: {left}"
    finally:
        for job_id in jobs_in(cleaner):
            cleaner.remove_leftovers(job_id)
        cleaner.close()
        made.close()


MOST_SHOWN = 20_000  # characters


@pytest.fixture
def site(
    engine_folder: Path, redis_client: redis.Redis, mlflow_url: str, image: str, fresh_name: str
) -> Iterator[Site]:
    """What its runner processes said is shown with a test that fails."""
    assert redis_client.dbsize() == 0
    with opened_site(engine_folder, redis_url(), mlflow_url, image, fresh_name) as made:
        yield made
        sys.stdout.write(made.words()[-MOST_SHOWN:])
