"""Signing keys of an OpenID Connect issuer: discovered, cached for minutes, fetched again for an unknown key id."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog

from core.domain.errors import Unavailable
from core.settings import LOOPBACK, is_private_enough

FRESH_SECONDS = 300.0
STALE_SECONDS = 3600.0
RETRY_SECONDS = 10.0
STEP_TIMEOUT = httpx2.Timeout(2.0)
WHOLE_SECONDS = 4.0
LARGEST_DOCUMENT = 512 * 1024

Key = Mapping[str, Any]
log = structlog.get_logger(__name__)


class IssuerKeys:
    """The signing keys that the issuer publishes; lives as long as the process. Thread-safe.

    The issuer is asked at most once in RETRY_SECONDS, whatever tokens arrive. While it is down, keys fetched within the
    last STALE_SECONDS are still used.
    """

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Sequence[Key] | None = None
        self._seen_at = self._asked_at = float("-inf")

    def candidates(self, key_id: str | None) -> Sequence[Key]:
        """The keys that a token may be signed with: those with that id, or all keys for None.

        Raises Unavailable when the issuer's keys are not known and it does not answer.
        """
        self._refresh(FRESH_SECONDS)
        if found := self._of(key_id):
            return found
        self._refresh(0.0)
        return self._of(key_id)

    def _of(self, key_id: str | None) -> Sequence[Key]:
        return [key for key in self._keys or () if key_id is None or key.get("kid") == key_id]

    def _refresh(self, oldest: float) -> None:
        with self._lock:
            now = self._clock()
            if now - self._seen_at >= oldest and now - self._asked_at >= RETRY_SECONDS:
                self._asked_at = now
                self._fetch()
            if self._keys is None or now - self._seen_at >= STALE_SECONDS:
                raise Unavailable("The site's sign-in service (OIDC issuer)")

    def _fetch(self) -> None:
        try:
            self._keys = published_keys(self._issuer)
            self._seen_at = self._clock()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError, RecursionError, OSError) as error:
            log.warning("issuer does not answer", issuer=self._issuer, error=f"{type(error).__name__}: {error}")


def published_keys(issuer: str) -> Sequence[Key]:
    """Fetch the key set that the issuer's discovery document names. Raises ValueError, TypeError, httpx2.HTTPError."""
    with httpx2.Client(
        timeout=STEP_TIMEOUT, follow_redirects=False, trust_env=urlsplit(issuer).hostname not in LOOPBACK
    ) as http:
        until = time.monotonic() + WHOLE_SECONDS
        about = _document(http, issuer.rstrip("/") + "/.well-known/openid-configuration", until)
        if about.get("issuer") != issuer:
            raise ValueError("the discovery document is another issuer's")
        address = str(about.get("jwks_uri"))
        if not is_private_enough(address):
            raise ValueError("the key set's address is not https")
        keys = _document(http, address, until).get("keys")
    if not isinstance(keys, list):
        raise TypeError("the key set holds no list of keys")
    return [key for key in keys if isinstance(key, dict)]


def _document(http: httpx2.Client, url: str, until: float) -> dict[str, Any]:
    """Fetch a JSON object, bounded in size and by the time `until`."""
    body = bytearray()
    with http.stream("GET", url, headers={"Accept": "application/json"}) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_DOCUMENT or time.monotonic() > until:
                raise ValueError("the answer is too long or too slow")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise TypeError("the answer is no JSON object")
    return found
