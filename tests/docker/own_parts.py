"""A Redis, an MLflow and an inner engine of a test's own, as compose.yml starts them, that may be killed."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import redis
import yaml
from docker.models.containers import Container

from tests.conftest import COMPOSE_FILES, service

PATIENCE_SECONDS = 240
SMALL_IMAGE = "small-sandbox:latest"


class OwnPart:
    """Its address stays the same over every end and start."""

    def __init__(self, container: Container, url: str, answers: Callable[[str], bool]) -> None:
        self._container, self.url, self._answers = container, url, answers

    def kill(self) -> None:
        self._container.kill()

    def stop(self) -> None:
        """As `docker stop` does: asked first."""
        self._container.stop(timeout=30)

    def pause(self) -> None:
        self._container.pause()

    def unpause(self) -> None:
        self._container.unpause()

    def ended_by_itself(self) -> bool:
        self._container.reload()
        return bool(self._container.status == "exited")

    def beside(self, command: str) -> str:
        """What a shell command prints in a container of the same image with the same volumes."""
        mounts = {
            item["Source"]: {"bind": item["Destination"], "mode": "rw"} for item in self._container.attrs["Mounts"]
        }
        client, image = self._container.client, self._container.attrs["Image"]
        printed: bytes = client.containers.run(image, ["-c", command], entrypoint="sh", volumes=mounts, remove=True)
        return printed.decode()

    def start(self, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Started, and answering."""
        self._container.start()
        until = time.monotonic() + patience_seconds
        while not self._answers(self.url):
            assert time.monotonic() < until, f"no answer: {self._container.logs().decode()[-2000:]}"
            time.sleep(0.1)


@contextmanager
def own_redis(name: str, *, maxmemory: str = "64mb", data: Path | None = None) -> Iterator[OwnPart]:
    """`data` instead of a volume that goes with it."""
    place = _place(data or f"redis-{name}", "/data")
    with _own("redis", f"redis-{name}", 6379, mounts=place, command=redis_command(maxmemory)) as (container, port):
        password = urlsplit(service("LEADERSBOARD_TEST_REDIS_URL")).password  # with the settings comes the password
        part = OwnPart(container, f"redis://:{password}@127.0.0.1:{port}/0", _redis_answers)
        part.start()
        yield part


def redis_command(maxmemory: str) -> str:
    """The one of compose.yml, with its own bound of memory."""
    command: str = yaml.safe_load(Path(COMPOSE_FILES[0]).read_text())["services"]["redis"]["command"]
    bounded = re.sub(r"\$\{REDIS_MAXMEMORY[^}]*\}", maxmemory, command)
    assert bounded != command, "compose.yml bounds Redis's memory in another way than this expects"
    return bounded


@contextmanager
def own_mlflow(name: str, *, artifacts: Path | None = None) -> Iterator[OwnPart]:
    """`artifacts` instead of a volume that goes with it."""
    places = _place(f"mlflow-{name}", "/mlflow") | _place(artifacts or f"artifacts-{name}", "/shared/artifacts")
    with _own("mlflow", f"mlflow-{name}", 5000, mounts=places) as (container, port):
        part = OwnPart(container, f"http://127.0.0.1:{port}", _mlflow_answers)
        part.start()
        yield part


@contextmanager
def own_engine(name: str, folder: Path) -> Iterator[OwnPart]:
    """An inner engine with its socket in that folder, which sees the tests' folder at the same path as we do.

    Its /run outlives it, so that it meets at its start what it left there when it was killed.
    """
    root = service("LEADERSBOARD_TEST_ROOT")
    mounts = (
        _place(f"engine-{name}", "/var/lib/docker") | _place(f"run-{name}", "/run") | _place(folder, "/run/engine")
        | _place(root, root)
    )  # fmt: skip
    with _created("engine", f"engine-{name}", mounts=mounts, privileged=True) as container:
        part = OwnPart(container, f"unix://{folder}/docker.sock", _engine_answers)
        part.start()
        yield part


def give_small_image(engine: OwnPart) -> str:
    """For an engine to run submissions in, under the name that is returned; it is there within seconds.

    The files of our smallest running part: they hold Python, and without that part's environment nothing of ours.
    """
    with closing(docker.from_env()) as outer, closing(docker.DockerClient(base_url=engine.url)) as inner:
        inner.api.import_image_from_stream(_running(outer, "redis").export(), SMALL_IMAGE, changes=["CMD python"])
    return SMALL_IMAGE


def _place(source: Path | str, inside: str) -> dict[str, dict[str, str]]:
    return {str(source): {"bind": inside, "mode": "rw"}}


@contextmanager
def _own(
    running: str, name: str, inner_port: int, *, mounts: Mapping[str, Mapping[str, str]], command: str | None = None
) -> Iterator[tuple[Container, int]]:
    port = _free_port()
    ports = {f"{inner_port}/tcp": ("127.0.0.1", port)}
    with _created(running, name, mounts=mounts, ports=ports, command=command) as container:
        yield container, port


@contextmanager
def _created(
    running: str, name: str, *, mounts: Mapping[str, Mapping[str, str]], command: str | None = None, **options: Any
) -> Iterator[Container]:
    """From the image and the settings of the running test project's; container and volumes go afterwards."""
    outer = docker.from_env()
    known = _running(outer, running)
    settings = known.attrs["Config"]
    container = outer.containers.create(
        known.image.id, command=command or settings["Cmd"], name=name, user=settings["User"],
        environment=settings["Env"], volumes=dict(mounts), **options,
    )  # fmt: skip
    try:
        yield container
    finally:
        container.remove(force=True)
        for source in mounts:
            if not source.startswith("/"):
                outer.volumes.get(source).remove(force=True)
        outer.close()


def _running(outer: docker.DockerClient, part: str) -> Container:
    """That part of the running test project."""
    project = service("LEADERSBOARD_TEST_PROJECT")
    labels = [f"com.docker.compose.project={project}", f"com.docker.compose.service={part}"]
    (found,) = outer.containers.list(filters={"label": labels})
    return found


def _redis_answers(url: str) -> bool:
    with closing(redis.Redis.from_url(url)) as client, suppress(redis.RedisError):
        return bool(client.ping())
    return False


def _mlflow_answers(url: str) -> bool:
    with suppress(OSError, http.client.HTTPException), urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def _engine_answers(url: str) -> bool:
    """Asked by hand: the SDK leaves its socket to the garbage collector when it cannot connect."""
    with socket.socket(socket.AF_UNIX) as wire, suppress(OSError):
        wire.settimeout(2)
        wire.connect(url.removeprefix("unix://"))
        wire.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b" 200 " in wire.recv(64)
    return False


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])
