"""A gateway of a few lines on a real socket: it pushes a log, breaks off, restarts and goes silent as a test wants."""

import http.server
import json
import threading
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.unit.client.fake_log import STATUS, STREAM, FakeLog
from tests.unit.client.fake_platform import job


class LogServer:
    """Answers at one port. Each stream takes the next of `cuts`: after so many bytes its connection is torn."""

    def __init__(self, log: FakeLog, *, cuts: list[int] | None = None, is_silent: bool = False) -> None:
        self.log = log
        self.cuts = cuts or []
        self.is_silent = is_silent
        self.offsets: list[int] = []
        self.state = job(status="running")
        self.released = threading.Event()
        self._port = 0
        self._server: http.server.ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.released.set()
        self.stop()

    def start(self) -> None:
        """Listen, after a stop at the same port as before."""
        owner = self

        class Handler(_Handler):
            gateway = owner

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Handler(http.server.BaseHTTPRequestHandler):
    gateway: LogServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer the state, or a stream of the log."""
        parts = urlsplit(self.path)
        if parts.path == STATUS:
            self._answer(self.gateway.state)
        elif parts.path == STREAM:
            self._push(int(parse_qs(parts.query)["offset"][0]))
        else:
            self.send_error(404)

    def _answer(self, body: dict[str, Any]) -> None:
        sent = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def _push(self, offset: int) -> None:
        gateway = self.gateway
        gateway.offsets.append(offset)
        whole = gateway.log.events(offset)
        cut = gateway.cuts.pop(0) if gateway.cuts else len(whole)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(f"{len(whole):x}\r\n".encode() + whole[:cut])  # a chunk that promises all of it
        self.wfile.flush()
        if cut == len(whole):
            self.wfile.write(b"\r\n0\r\n\r\n")
        elif gateway.is_silent:
            gateway.released.wait(20)
        self.close_connection = True

    def log_message(self, *_words: object) -> None:
        """Print nothing."""
