"""Which address an attempt to sign in is counted for."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from gateway.auth import client_address
from gateway.auth.client_address import ClientAddress, addresses_of

pytestmark = pytest.mark.unit


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.9"], "10.0.0.9"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("192.0.2.1", ["203.0.113.7"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("testclient", ["203.0.113.7"], "unknown"),
        (None, ["203.0.113.7"], "unknown"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str | None, forwarded: list[str], address: str) -> None:
    """The nearest address that is no proxy of ours: what a stranger writes into the header further left is not."""
    trusted = ClientAddress(["10.0.0.0/8"])
    assert trusted.of(request(peer, *forwarded)) == address


def test_by_default_nobody_is_believed() -> None:
    """Without the setting the header counts for nothing, also from this machine."""
    assert ClientAddress([]).of(request("127.0.0.1", "203.0.113.7")) == "127.0.0.1"


def test_a_proxy_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host name is looked up, again after half a minute: containers change their addresses."""
    now, found, asked = [0.0], ["172.18.0.5"], []
    monkeypatch.setattr(client_address.time, "monotonic", lambda: now[0])

    def look_up(host: str) -> frozenset[str]:
        asked.append(host)
        return frozenset(found)

    named = ClientAddress(["ui"], look_up=look_up)
    assert named.of(request("172.18.0.5", "203.0.113.7")) == "203.0.113.7"
    assert named.of(request("172.18.0.6", "203.0.113.7")) == "172.18.0.6"
    assert asked == ["ui"]
    found[0], now[0] = "172.18.0.6", client_address.LOOKED_UP_SECONDS + 1
    assert named.of(request("172.18.0.6", "203.0.113.7")) == "203.0.113.7"


def test_a_name_without_address_is_nobody() -> None:
    """A proxy that does not run is no error."""
    assert addresses_of("no-such-host.invalid") == frozenset()
    assert "127.0.0.1" in addresses_of("localhost")
