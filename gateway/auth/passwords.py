"""Hashes passwords with argon2id (RFC 9106, second recommended option: 64 MiB each), a few at once."""

from __future__ import annotations

import base64
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.domain.errors import LimitReached

AT_ONCE = 2
WAITING = 8
RETRY_SECONDS = 2


class Argon2Passwords:
    """PasswordsPort; lives as long as the process. Uses at most 2 x 64 MiB and blocks at most 10 threads."""

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(at_once)
        self._line = threading.BoundedSemaphore(at_once + waiting)

    def hashed(self, password: str) -> str:
        with self._turn():
            return self._hasher.hash(_bytes(password))

    def matches(self, password_hash: str | None, password: str) -> bool:
        with self._turn():
            right = self._verify(password_hash or _nobodys(self._hasher), password)
        return right and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise LimitReached(
                "Many people are signing in at this moment. Try again in a few seconds.",
                retry_after_seconds=RETRY_SECONDS,
            )
        try:
            with self._turns:
                yield
        finally:
            self._line.release()


def _nobodys(hasher: PasswordHasher) -> str:
    """A dummy hash of the same cost that no password matches: timing must not reveal which users exist."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


def _bytes(password: str) -> bytes:
    """The password's bytes, normalised so that two keyboards' spellings of one character are equal."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
