"""Gives each run a user id that no other run in this engine has; the labels of holders say which are taken.

The kernel counts some things per user id, whatever container they are in: inotify watches, pending signals, keys. Two
runs with one id could use up each other's. A runner takes a slot by making a holder with its label, and then checks
whether another holder has the same: of two runners that took it at once, the later one to check sees both and takes
another. So processes and sites that share the engine need neither a lock nor a common folder.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator

import docker

from core.domain.errors import Unavailable
from runner.engine.container_spec import LABEL, SLOT, SLOTS

TRIES = 20


def free(client: docker.DockerClient) -> Iterator[int]:
    """Yields random free slots to try. Raises Unavailable when there is none, or after TRIES."""
    for _try in range(TRIES):
        left = sorted(set(SLOTS) - set(taken(client)))
        if not left:
            break
        yield secrets.choice(left)
    raise Unavailable("The sandbox engine", "no user id is free for a run")


def is_alone(client: docker.DockerClient, slot: int) -> bool:
    """Whether only the caller's holder carries the slot."""
    return taken(client)[slot] == 1


def taken(client: docker.DockerClient) -> Counter[int]:
    """How many holders of all sites carry each slot; one request to the engine."""
    found = client.api.containers(all=True, filters={"label": [SLOT, f"{LABEL}.role=holder"]})
    slots = [str(item["Labels"].get(SLOT)) for item in found]
    return Counter(int(slot) for slot in slots if slot.isdigit())
