"""Finds the client's address of a request behind the proxies that this site trusts."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

Address = IPv4Address | IPv6Address
LOOKED_UP_SECONDS = 30.0
UNKNOWN = "unknown"


def addresses_of(host: str) -> frozenset[str]:
    """The current addresses of a host name; empty when it cannot be resolved."""
    try:
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except OSError:
        return frozenset()


class ClientAddress:
    """Reads X-Forwarded-For from the right, past trusted proxies; lives as long as the process.

    `trusted` holds addresses, networks (10.0.0.0/8) and host names. Host names are resolved again every 30 seconds, so
    call it in a thread, not on the event loop.
    """

    def __init__(self, trusted: Sequence[str], *, look_up: Callable[[str], frozenset[str]] = addresses_of) -> None:
        self._trusted = trusted
        self._look_up = look_up
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    def of(self, request: Request) -> str:
        """The nearest address that is no trusted proxy; for IPv6 its /64 network, all of which one client may own."""
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        address = _parsed(request.client.host if request.client else "")
        while address and hops and self._is_trusted(address):
            address = _parsed(hops.pop()) or address
        if isinstance(address, IPv6Address):
            return str(IPv6Network((address, 64), strict=False))
        return str(address or UNKNOWN)

    def _is_trusted(self, address: Address) -> bool:
        return any(self._covers(entry, address) for entry in self._trusted)

    def _covers(self, entry: str, address: Address) -> bool:
        try:
            return address in ip_network(entry, strict=False)
        except ValueError:
            return str(address) in self._addresses(entry)

    def _addresses(self, host: str) -> frozenset[str]:
        looked_up_at, found = self._known.get(host, (float("-inf"), frozenset()))
        if time.monotonic() - looked_up_at > LOOKED_UP_SECONDS:
            found = self._look_up(host)
            self._known[host] = (time.monotonic(), found)
        return found


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
