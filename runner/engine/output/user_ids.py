"""Which user id a run gets: one that no other run in this engine has, told by the labels of holders.

The kernel counts some things per user id, whatever container they are in: inotify watches, pending signals, keys. Two
runs of one id could use up each other's. A slot is taken by making the holder that carries it and looking afterwards
who else does: of two that took the same at once, the later looker sees both and takes another. So neither a lock nor a
common folder is needed, whichever processes and sites share the engine.
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
    """One to try after the other, any of those that nobody has. Raises Unavailable when there is none."""
    for _try in range(TRIES):
        left = sorted(set(SLOTS) - set(taken(client)))
        if not left:
            break
        yield secrets.choice(left)
    raise Unavailable("The sandbox engine", "no user id is free for a run")


def is_alone(client: docker.DockerClient, slot: int) -> bool:
    """Whether only one holder carries it: the caller's."""
    return taken(client)[slot] == 1


def taken(client: docker.DockerClient) -> Counter[int]:
    """How many holders carry each slot, of every site; asked for as one list, without a question for each."""
    found = client.api.containers(all=True, filters={"label": [SLOT, f"{LABEL}.role=holder"]})
    slots = [str(item["Labels"].get(SLOT)) for item in found]
    return Counter(int(slot) for slot in slots if slot.isdigit())
