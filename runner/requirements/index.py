"""The site's package index, as configured for pip and for the proxy in front of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from core.settings import Settings

SHORTEST_SECRET = 4
"""In characters; a shorter secret would be replaced inside other words. With its `@` it is hidden all the same."""
_BEFORE = r"""(^|[\s/'"(<=,])"""
_CREDENTIALS = (
    re.compile(rf"""{_BEFORE}[^\s/'"(<=,:@]*:[^\s/'"]*@""", re.MULTILINE),
    re.compile(r"""(:/{1,3})[^\s/'"(<]*@"""),
    re.compile(r"""(%3A(?:%2F){1,3})(?:(?!%2F)[^\s/'"])*%40""", re.IGNORECASE),
)
"""`user:password@` anywhere, and everything before an `@` in an address of any scheme."""
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """Its addresses may hold a password: they are in no repr, and `hidden` removes them from what users read."""

    urls: tuple[str, ...] = field(repr=False)
    """The index itself, then the extra ones. Empty if nothing can be installed."""
    trusted_host: str = ""
    ca: Path | None = None
    more_hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Index:
        return cls(
            urls=tuple(f"{settings.pip_index_url} {settings.pip_extra_index_url}".split()),
            trusted_host=settings.pip_trusted_host,
            ca=settings.pip_cert,
            more_hosts=settings.package_hosts,
        )

    @property
    def allowed(self) -> tuple[str, ...]:
        """host:port of everything that an installer may connect to."""
        found = set()
        for parts in map(urlsplit, self.urls):
            host = parts.hostname or ""
            found.add(f"{host}:{parts.port or PORTS.get(parts.scheme, 443)}")
        found.update(host if ":" in host else f"{host}:443" for host in self.more_hosts)
        return tuple(sorted(found))

    @property
    def mark(self) -> str:
        """Distinguishes cache entries of different indexes; reveals nothing of their addresses."""
        return hashlib.sha256("\n".join(self.urls).encode()).hexdigest()

    def environment(self) -> dict[str, str]:
        """Pip's own settings, for the installer's container alone."""
        found = {"PIP_INDEX_URL": self.urls[0], "PIP_EXTRA_INDEX_URL": " ".join(self.urls[1:])}
        found["PIP_TRUSTED_HOST"] = self.trusted_host
        return {name: value for name, value in found.items() if value}

    def hidden(self, text: str) -> str:
        """Returns the text without the index's addresses, hosts and passwords, and without any other credentials.

        Users read a job's log. Call it before a text is cut: half of a secret is not found.
        """
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = re.sub(re.escape(secret), "(the index)", text, flags=re.IGNORECASE)
        for credentials in _CREDENTIALS:
            text = credentials.sub(r"\1(hidden)@", text)
        return text

    def _secrets(self) -> set[str]:
        """The words to hide, each in the forms that programs print: as it is set, decoded, encoded."""
        found = {host.partition(":")[0] for host in self.allowed} | set(self.more_hosts)
        for url, parts in ((url, urlsplit(url)) for url in self.urls):
            user, _separator, host = parts.netloc.rpartition("@")
            password = user.partition(":")[2]
            found |= {url, url.rstrip("/"), parts.netloc, host, parts.hostname or ""}
            found |= {secret for secret in (user, password) if len(secret) >= SHORTEST_SECRET}
        found |= {unquote(secret) for secret in found}
        found |= {quote(secret, safe=safe) for secret in found for safe in ("", "/", ":/@")}
        return {secret for secret in found if secret}
