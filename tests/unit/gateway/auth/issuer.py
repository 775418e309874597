"""A small OpenID Connect issuer on this machine: discovery, keys that can change, and tokens."""

from __future__ import annotations

import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "leadersboard"


class Issuer:
    """Serves until `close`; `answers` replaces what a path gives (302 leads to the keys), `asked` counts its calls."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                status, body = issuer.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == HTTPStatus.FOUND:
                    self.send_header("Location", "/realm/keys")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                return

        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.keys: dict[str, Any] = {"rsa": new_rsa(), "ec": ec.generate_private_key(ec.SECP256R1())}
        self.published = list(self.keys)
        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{host}:{self.server.server_port}/realm"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, path: str) -> tuple[int, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/realm/.well-known/openid-configuration":
            return 200, json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        if path == "/realm/keys":
            return 200, json.dumps({"keys": [self.public(name) for name in self.published]}).encode()
        return 404, b""

    def public(self, name: str) -> dict[str, Any]:
        key = self.keys[name].public_key()
        algorithm = jwt.algorithms.ECAlgorithm if name.startswith("ec") else jwt.algorithms.RSAAlgorithm
        return {**algorithm.to_jwk(key, as_dict=True), "kid": name, "use": "sig"}

    def token(
        self, key: str = "rsa", *, headers: dict[str, Any] | None = None, signed: str = "", **changes: Any
    ) -> str:
        """A good token with these changes; a claim or header set to None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": AUDIENCE, "sub": "subject-1", "exp": now + 300, "iat": now,
            "preferred_username": "olga",
        }  # fmt: skip
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        algorithm = signed or ("ES256" if key.startswith("ec") else "RS256")
        shown = {name: value for name, value in {"kid": key, **(headers or {})}.items() if value is not None}
        return jwt.encode(kept, self.keys[key], algorithm, headers=shown)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def new_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)
