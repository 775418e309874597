"""The one way out of an installer: to the hosts of the package index, by name and port, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from urllib.parse import urlsplit

PORT = 3128
LONGEST_HEAD = 64 * 1024
CHUNK = 256 * 1024
READY = "index proxy ready"


class Proxy:
    """Answers CONNECT and plain GET for `allowed` (host:port); everything else is 403."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            await self._passed_on(head, reader, writer)
        writer.close()

    async def _passed_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _version = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = (url.hostname or ""), url.port or 80
        if f"{host}:{port}" not in self._allowed or (method != "CONNECT" and url.scheme != "http"):
            writer.write(b"HTTP/1.1 403 Not the package index\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection(host, port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            far_writer.write(_direct(head, url.path or "/", url.query))
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


def _direct(head: bytes, path: str, query: str) -> bytes:
    """The request in the form for the host itself. Only one per connection, so that none goes to another host."""
    method = head.split(b" ", 1)[0]
    kept = [
        line
        for line in head.split(b"\r\n")[1:-2]
        if not line.lower().startswith((b"proxy-", b"connection:", b"keep-alive:"))
    ]
    first = method + b" " + (f"{path}?{query}" if query else path).encode("ascii") + b" HTTP/1.1"
    return b"\r\n".join([first, *kept, b"Connection: close", b"", b""])


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def main(allowed: frozenset[str]) -> None:
    server = await asyncio.start_server(Proxy(allowed).serve, "0.0.0.0", PORT, limit=LONGEST_HEAD)
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(frozenset(sys.argv[1:])))
