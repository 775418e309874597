"""Lists the packages of a sandbox image, once for each image: a short program of ours asks the image's own Python."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import docker.errors

from core.domain.errors import Unavailable
from core.domain.image_packages import ImagePackages
from core.domain.limits import MIB
from runner.engine.container_spec import USER_BASE
from runner.engine.errors import engine_errors
from runner.engine.resources import CALL_SECONDS, probe_labels, remove
from runner.guest import list_packages

LISTER_BYTES = 256 * MIB
LARGEST_LIST = MIB
AGAIN_SECONDS = 60.0
"""An image whose packages could not be listed is asked again after this time."""


@dataclass(kw_only=True)
class ImageList:
    """Lives as long as its process, for all its threads."""

    client: docker.DockerClient
    seccomp: str
    site: str = ""
    process: str = ""
    """The mark of this process; other processes remove its container once it is gone."""
    _known: dict[str, ImagePackages | float] = field(default_factory=dict)
    """By image id; the time of the last try where none was got. Of each name only the present image is kept."""
    _ids: dict[str, str] = field(default_factory=dict)
    """By name."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, image: str) -> ImagePackages:
        """The packages of the image that has this name now. Raises Unavailable."""
        with engine_errors():
            image_id = str(self.client.images.get(image).id)
        with self._lock:
            self._ids[image] = image_id
            for gone in self._known.keys() - set(self._ids.values()):
                del self._known[gone]
            known = self._known.get(image_id, float("-inf"))
            if isinstance(known, ImagePackages):
                return known
            if time.monotonic() - known < AGAIN_SECONDS:
                raise Unavailable("The sandbox engine", "the packages of its image could not be listed")
            self._known[image_id] = time.monotonic()
            found = self._listed(image_id)
            self._known[image_id] = found
        return found

    def _listed(self, image_id: str) -> ImagePackages:
        with engine_errors():
            container = self.client.containers.create(
                **lister_options(image_id, self.seccomp, site=self.site, process=self.process)
            )
            try:
                container.start()
                container.wait(timeout=CALL_SECONDS)
                answer: bytes = container.logs(stdout=True, stderr=False)
            finally:
                remove(container)
        return packages_in(answer, image_id)


def packages_in(answer: bytes, image_id: str) -> ImagePackages:
    """Reads what the program in the image printed. Raises Unavailable when that is no such list."""
    try:
        told = json.loads(answer) if len(answer) <= LARGEST_LIST else {}
        return ImagePackages.model_validate({**told, "image_id": image_id})
    except (ValueError, TypeError, RecursionError) as error:
        raise Unavailable("The sandbox engine", "its image did not list its packages") from error


def lister_options(image_id: str, seccomp: str, *, site: str, process: str = "") -> Mapping[str, Any]:
    """Options of the container: no network, no mounts, nothing to write to, a user of its own."""
    return {
        "image": image_id,
        "command": ["python", "-I", "-c", Path(list_packages.__file__).read_text()],
        "entrypoint": [],
        "environment": {"PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        "labels": probe_labels(site, process),
        "network_mode": "none",
        "read_only": True,
        "user": f"{USER_BASE}:{USER_BASE}",
        "working_dir": "/",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp}"],
        "mem_limit": LISTER_BYTES,
        "memswap_limit": LISTER_BYTES,
        "nano_cpus": 10**9,
        "pids_limit": 16,
    }
