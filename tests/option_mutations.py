"""Mutants of a run's options: one key, or one member of a key, removed, weakened or added."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
from docker.models.containers import _create_container_args

Options = dict[str, Any]
WEAKER: dict[str, Any] = {
    "network_mode": "bridge", "ipc_mode": "host", "cgroupns": "host", "read_only": False, "user": "0:0",
    "init": False, "stdin_open": True, "tty": True, "oom_score_adj": -500, "restart_policy": {"Name": "always"},
    "mem_limit": 0, "memswap_limit": -1, "nano_cpus": 10**12, "pids_limit": -1, "shm_size": 2**40,
    "working_dir": "/proc/self/fd/8", "image": "leadersboard-sandbox:latest", "hostname": "engine",
    "cap_drop": ["NET_RAW"], "entrypoint": ["/job/start"],
}  # fmt: skip
ADDED: dict[str, Any] = {
    "privileged": True, "cap_add": ["SYS_ADMIN"], "devices": ["/dev/fuse"], "pid_mode": "host", "uts_mode": "host",
    "userns_mode": "host", "group_add": ["docker"], "volumes_from": ["x"], "sysctls": {"net.ipv4.ip_forward": "1"},
    "oom_kill_disable": True, "device_cgroup_rules": ["c *:* rwm"], "cgroup_parent": "/", "auto_remove": True,
    "extra_hosts": {"engine": "172.17.0.1"}, "device_requests": [docker.types.DeviceRequest(count=-1)],
}  # fmt: skip
CREATION_FAILS = {"image", "command"}
"""Without these the engine creates no container, or runs a visibly different program."""
NO_WALL = {"name", "detach", "device_requests", "entrypoint", "stdin_open", "tty", "restart_policy"}
"""Without them the engine's default applies, which is the wanted value; they are written for the reader. A weaker value
is still detected. The name comes from the ledger and is tested with takeovers."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Options with one change, and the name of the changed option."""

    option: str
    change: str
    options: Options


def mutants(options: Options) -> Iterator[Mutant]:
    for key in options:
        if key not in CREATION_FAILS | NO_WALL:
            yield _mutant(options, key, "away", lambda found, key=key: found.pop(key))
    for changes, word in ((WEAKER, "weaker"), (ADDED, "added")):
        for key, value in changes.items():
            yield _mutant(options, key, word, lambda found, key=key, value=value: found.update({key: value}))
    twice = {"mem_limit": 2 * options["mem_limit"], "memswap_limit": 2 * options["mem_limit"]}
    yield _mutant(options, "mem_limit", "weaker, swap too", lambda found: found.update(twice))
    yield from _lists(options)
    yield from _named(options)
    yield from _mounts(options)
    yield from _tmpfs(options)


def _mutant(options: Options, option: str, change: str, act: Any) -> Mutant:
    found = copy.deepcopy(options)
    act(found)
    return Mutant(option=option, change=change, options=found)


def _lists(options: Options) -> Iterator[Mutant]:
    for number, item in enumerate(options["security_opt"]):
        name = f"security_opt {item.partition('=')[0].partition(':')[0]}"
        yield _mutant(options, name, "away", lambda found, number=number: found["security_opt"].pop(number))
    weak = ["seccomp=unconfined", "seccomp=", "apparmor=unconfined", "no-new-privileges:false"]
    for item in weak:
        yield _mutant(options, f"security_opt {item}", "added", lambda found, item=item: _swap(found, item))
    for number, limit in enumerate(options["ulimits"]):
        name = f"ulimit {limit['Name']}"
        yield _mutant(options, name, "away", lambda found, number=number: found["ulimits"].pop(number))
        yield _mutant(
            options, name, "weaker", lambda found, number=number: found["ulimits"][number].update(Hard=-1, Soft=-1)
        )
    one_more = docker.types.Ulimit(name="nproc", soft=100, hard=100)
    yield _mutant(options, "ulimit nproc", "added", lambda found: found["ulimits"].append(one_more))


def _swap(found: Options, item: str) -> None:
    kind = item.replace(":", "=").partition("=")[0]
    found["security_opt"] = [old for old in found["security_opt"] if not old.startswith(kind)] + [item]


def _named(options: Options) -> Iterator[Mutant]:
    """Environment, labels and log options with one name removed or weakened, or with an added secret."""
    for name in options["environment"]:
        yield _mutant(options, f"environment {name}", "away", lambda found, name=name: found["environment"].pop(name))
    secret = {"API_TOKENS": "ann:0123456789abcdef"}
    yield _mutant(options, "environment API_TOKENS", "added", lambda found: found["environment"].update(secret))
    shown = {"CUDA_VISIBLE_DEVICES": "all", "NVIDIA_VISIBLE_DEVICES": "all"}
    yield _mutant(
        options, "environment NVIDIA_VISIBLE_DEVICES", "weaker", lambda found: found["environment"].update(shown)
    )
    for name in options["labels"]:
        yield _mutant(options, f"label {name}", "away", lambda found, name=name: found["labels"].pop(name))
    for name in options["log_config"]["Config"]:
        yield _mutant(options, f"log {name}", "away", lambda found, name=name: found["log_config"]["Config"].pop(name))
    yield _mutant(options, "log driver", "weaker", lambda found: found["log_config"].update(Type="json-file"))


def _mounts(options: Options) -> Iterator[Mutant]:
    for number, mount in enumerate(options["mounts"]):
        name = f"mount {mount['Target']}"
        yield _mutant(options, name, "away", lambda found, number=number: found["mounts"].pop(number))
        if mount["Type"] == "bind":
            above = mount["Source"].rpartition("/")[0].rpartition("/")[0]
            changes = {"ReadOnly": False}, {"Source": above}, {"BindOptions": {"Propagation": "rshared"}}
        else:
            changes = (
                {"Source": "shared"},
                {"Type": "bind", "Source": "/shared/out"},
                {"VolumeOptions": {"NoCopy": True}},
            )
        for change in changes:
            word = f"weaker: {next(iter(change))}"
            yield _mutant(
                options, name, word, lambda found, number=number, change=change: found["mounts"][number].update(change)
            )
    engine = docker.types.Mount("/run/engine", "/run/engine", type="bind")
    yield _mutant(options, "mount of the engine's socket", "added", lambda found: found["mounts"].append(engine))


def _tmpfs(options: Options) -> Iterator[Mutant]:
    for folder, text in options["tmpfs"].items():
        flags = text.split(",")
        for flag in flags:
            left = {folder: ",".join(item for item in flags if item != flag)}
            name = f"tmpfs {folder} {flag.partition('=')[0]}"
            yield _mutant(options, name, "away", lambda found, left=left: found["tmpfs"].update(left))
    yield _mutant(options, "tmpfs /run", "added", lambda found: found["tmpfs"].update({"/run": "rw"}))


def asked(options: Options) -> dict[str, Any]:
    """The body of the create call that the engine would get, built without an engine."""
    arguments = _create_container_args(copy.deepcopy(options) | {"version": "1.45"})
    arguments.pop("name", None)  # goes into the URL, not into the body
    body: dict[str, Any] = docker.types.ContainerConfig("1.45", **arguments)
    return body
