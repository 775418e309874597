"""The devices of an engine and what is taken of their memory, as nvidia-smi says in a container with all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
import docker.errors

from core.domain.limits import MIB
from runner.engine.things import CALL_SECONDS, remove


def probe(client: docker.DockerClient, options: Mapping[str, Any]) -> dict[str, int]:
    """Empty where the engine has no driver for such a request, or no toolkit that would bring nvidia-smi."""
    try:
        container = client.containers.create(**options)
    except docker.errors.APIError:
        return {}
    try:
        container.start()
        container.wait(timeout=CALL_SECONDS)
        answer: bytes = container.logs(stdout=True, stderr=False)
    except docker.errors.APIError:
        return {}
    finally:
        remove(container)
    return read(answer.decode(errors="replace"))


def read(answer: str) -> dict[str, int]:
    """Bytes taken by UUID; a device that does not tell (`[N/A]`) counts as unused."""
    rows = [line.partition(",") for line in answer.splitlines() if line.startswith("GPU-")]
    return {uuid.strip(): int(used) * MIB if used.strip().isdigit() else 0 for uuid, _comma, used in rows}
