"""Maps the engine's errors to ours: whatever the SDK or its HTTP library raises means that the platform failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3.exceptions

from core.adapters.files.disk_space import FILE_FAULTS
from core.domain.errors import Unavailable

ENGINE = "The sandbox engine"


class NoImage(Unavailable):
    """Raised when the engine has no image of that name. Nothing is pulled when a job is run; an admin loads it."""

    def __init__(self, name: str) -> None:
        super(Unavailable, self).__init__(
            f"{ENGINE} has no image {name!r}. scripts/setup builds the sandbox image; load any other one into the "
            "engine (docker save IMAGE | docker compose exec -T engine docker load), or name another in the settings."
        )
        self.part = ENGINE


_FOREIGN = (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@contextmanager
def engine_errors() -> Iterator[None]:
    """Raises Unavailable with the engine's own words for foreign errors. Faults of our own files pass through."""
    try:
        yield
    except _FOREIGN as error:
        if isinstance(error, OSError) and (error.errno in FILE_FAULTS or error.filename):
            raise
        raise Unavailable(ENGINE, f"{type(error).__name__}: {str(error)[:300]}") from error
