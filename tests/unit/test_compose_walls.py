"""Each service of ours is started with no right that it does not need, in every compose file of this project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

PRIVILEGED = {"engine"}
"""An engine inside a container needs it; nothing but the runner reaches this one."""
LOOSENING = ("privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "network_mode", "volumes_from", "cgroup")
HOST_PATHS = ("/var/run", "/run/", "/proc", "/sys", "/dev", "/etc", "/root", "/home", "/:")


class Loader(yaml.SafeLoader):
    """Compose's own tags (`!override`, `!reset`) are read as what they stand before."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


Loader.add_multi_constructor("!", _plain)


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.load(path.read_text(), Loader)["services"]
    return {name: service or {} for name, service in found.items()}


MAIN = services(REPOSITORY / "compose.yml")
FILES = sorted(REPOSITORY.glob("compose*.yml"))


@pytest.mark.parametrize("name", sorted(set(MAIN) - PRIVILEGED))
def test_a_service_has_no_right_that_it_does_not_need(name: str) -> None:
    """No capability and no way to gain one; a root file system that cannot be written; memory and /tmp are bounded."""
    service = MAIN[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["mem_limit"]
    assert all("size=" in mount for mount in service["tmpfs"])
    assert not [word for word in LOOSENING if word in service]


@pytest.mark.parametrize("name", sorted(set(MAIN) - PRIVILEGED))
def test_the_processes_of_a_service_are_bounded(name: str) -> None:
    """A service that starts without end, or is made to, takes no process number from the host's others."""
    found = re.fullmatch(r"(?:\$\{[A-Z]+_PIDS:-)?(\d+)\}?", str(MAIN[name]["pids_limit"]))
    assert found
    assert 50 <= int(found[1]) <= 1024


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_other_compose_file_takes_a_wall_away(path: Path) -> None:
    """They may add to compose.yml, but no right, no namespace of the host's, no socket of the host's engine."""
    for name, service in services(path).items():
        mounts = [str(one.get("source") if isinstance(one, dict) else one) for one in service.get("volumes", [])]
        assert not [one for one in mounts if "docker.sock" in one], f"{name} would reach the host's engine"
        if name in PRIVILEGED:
            continue
        assert not [word for word in LOOSENING if word in service], name
        assert service.get("read_only", True) is True
        assert service.get("cap_drop", ["ALL"]) == ["ALL"]
        assert service.get("security_opt", ["no-new-privileges:true"]) == ["no-new-privileges:true"]
        assert service.get("user", "10001:10001") == "10001:10001"
        assert not [one for one in mounts if one.startswith(HOST_PATHS)], f"{name} would see the host's files"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_the_engine_is_privileged(path: Path) -> None:
    assert {name for name, service in services(path).items() if service.get("privileged")} <= PRIVILEGED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_published_is_on_this_machine_alone_unless_a_setting_says_otherwise(path: Path) -> None:
    published = [str(port) for service in services(path).values() for port in service.get("ports", [])]
    open_ports = [one for one in published if not one.startswith(("127.0.0.1:", "${")) or ":-0.0.0.0}" in one]
    assert open_ports == []
    assert all(":-127.0.0.1}:" in one for one in published if one.startswith("${"))


def test_every_image_of_ours_ends_as_another_user_than_root() -> None:
    """Each target of the Dockerfile that compose starts says which user; the engine and its build stages aside."""
    text = (REPOSITORY / "Dockerfile").read_text()
    stages = {part.partition("\n")[0].split()[-1]: part for part in text.split("\nFROM ")[1:]}
    for name in set(MAIN) - PRIVILEGED:
        users = [line for line in stages[name].splitlines() if line.startswith("USER ")]
        assert users == ["USER 10001:10001"], name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_hidden_labels_reach_runner_and_engine_alone(path: Path) -> None:
    """SCO-2: read-only there; gateway, UI and MLflow never see them."""
    for name, service in services(path).items():
        mounts = [str(one) for one in service.get("volumes", []) if "label" in str(one).lower()]
        seen = name in {"runner", "engine"} and path.name == "compose.yml"
        assert mounts == (["${LABELS:-labels}:/shared/labels:ro"] if seen else []), name
