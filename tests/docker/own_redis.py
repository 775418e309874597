"""A Redis of a test's own, as compose.yml starts it, that may be killed and started again on its append-only file."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import docker
import redis
from docker.models.containers import Container

from tests.conftest import service

COMMAND = (
    "redis-server --bind 0.0.0.0 --protected-mode no --dir /data --save '' --appendonly yes --appendfsync always "
    "--maxmemory-policy noeviction --maxmemory "
)
PATIENCE_SECONDS = 30


class OwnRedis:
    """Its address stays the same over every end and start."""

    def __init__(self, container: Container, port: int) -> None:
        self._container = container
        self.url = f"redis://127.0.0.1:{port}/0"

    def kill(self) -> None:
        self._container.kill()

    def pause(self) -> None:
        self._container.pause()

    def unpause(self) -> None:
        self._container.unpause()

    def start(self) -> None:
        """Started, and answering."""
        self._container.start()
        until = time.monotonic() + PATIENCE_SECONDS
        with closing(redis.Redis.from_url(self.url)) as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError:
                    assert time.monotonic() < until, "Redis does not come up"
                    time.sleep(0.1)
                else:
                    return


@contextmanager
def own_redis(name: str, *, maxmemory: str = "64mb") -> Iterator[OwnRedis]:
    """From the image of the running test project; container and data are gone afterwards."""
    outer = docker.from_env()
    labels = [f"com.docker.compose.project={service('LEADERSBOARD_TEST_PROJECT')}", "com.docker.compose.service=redis"]
    (running,) = outer.containers.list(filters={"label": labels})
    port = _free_port()
    container = outer.containers.create(
        running.image.id, command=COMMAND + maxmemory, name=f"redis-{name}", ports={"6379/tcp": ("127.0.0.1", port)},
        volumes={f"redis-{name}": {"bind": "/data", "mode": "rw"}},
    )  # fmt: skip
    try:
        found = OwnRedis(container, port)
        found.start()
        yield found
    finally:
        container.remove(force=True)
        outer.volumes.get(f"redis-{name}").remove(force=True)
        outer.close()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])
