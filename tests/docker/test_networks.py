"""Redis and MLflow in the running project: reached by gateway and runner alone, and not without a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import docker
import pytest
import redis
from docker.models.containers import Container

from tests.conftest import service

pytestmark = pytest.mark.docker

KNOCK = (
    "import socket, sys\n"
    "for host in sys.argv[2:]:\n"
    "    try: socket.create_connection((host, int(sys.argv[1])), 2).close()\n"
    "    except OSError: continue\n"
    "    print(host)\n"
)


@pytest.fixture
def outer() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


def part(outer: docker.DockerClient, name: str) -> Container:
    project = service("LEADERSBOARD_TEST_PROJECT")
    labels = [f"com.docker.compose.project={project}", f"com.docker.compose.service={name}"]
    (found,) = outer.containers.list(filters={"label": labels})
    return found


def addresses(container: Container, name: str) -> list[str]:
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return [name, *(network["IPAddress"] for network in networks if network["IPAddress"])]


def reached(container: Container, port: int, hosts: list[str]) -> list[str]:
    done = container.exec_run(["python", "-c", KNOCK, str(port), *hosts])
    assert done.exit_code == 0, done.output
    return str(done.output.decode()).split()


@pytest.mark.parametrize("name", ["mlflow", "ui"])
def test_mlflow_and_ui_do_not_reach_redis(outer: docker.DockerClient, name: str) -> None:
    """DOR-7: neither by name nor by any of its addresses."""
    hosts = addresses(part(outer, "redis"), "redis")
    assert reached(part(outer, name), 6379, hosts) == []
    assert "redis" in reached(part(outer, "gateway"), 6379, hosts)


def test_the_ui_does_not_reach_mlflow(outer: docker.DockerClient) -> None:
    """DOR-4: the way there is the gateway, which has the rule."""
    hosts = addresses(part(outer, "mlflow"), "mlflow")
    assert reached(part(outer, "ui"), 5000, hosts) == []
    assert "mlflow" in reached(part(outer, "gateway"), 5000, hosts)


def test_redis_refuses_who_has_no_password(outer: docker.DockerClient) -> None:
    """DOR-7; and the password is in no list of processes, and in no argument that the engine shows."""
    parts = urlsplit(service("LEADERSBOARD_TEST_REDIS_URL"))
    assert parts.password
    for password in (None, "", "wrong"):
        with closing(redis.Redis(host=parts.hostname or "", port=parts.port or 0, password=password)) as client:
            with pytest.raises(redis.AuthenticationError) as refused:
                client.ping()
            assert parts.password not in str(refused.value)
    container = part(outer, "redis")
    assert parts.password not in str(container.attrs["Args"]) + str(container.attrs["Config"]["Cmd"])
    assert parts.password not in str(container.exec_run(["cat", "/proc/1/cmdline"]).output)
