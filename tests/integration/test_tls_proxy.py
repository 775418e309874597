"""Gateway, UI and MLflow's pages behind a real TLS proxy, set up as docs/deployment.md says."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import redis

from tests.conftest import REPOSITORY, redis_url, service
from tests.running_gateway import Door, environment, free_port, gateway_process
from tests.tracked_site import await_life, ui_process

pytestmark = pytest.mark.integration

HOSTS = {"api.example.org": "api", "board.example.org": "ui", "mlflow.example.org": "mlflow"}
LIMITS = '{"window_seconds": 60, "pair": 3, "name": 100, "address": 4}'


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """The proxy's port and its certificate."""

    port: int
    trust: ssl.SSLContext
    root: Path

    def client(self, host: str, address: str = "127.0.0.1", **headers: str) -> httpx2.Client:
        """A browser at that address of the loopback interface, on one of the three host names."""
        transport = httpx2.HTTPTransport(verify=self.trust, local_address=address)
        base = f"https://127.0.0.1:{self.port}"
        named = {"Host": f"{host}:{self.port}", **headers}
        return httpx2.Client(base_url=base, transport=transport, headers=named, timeout=120.0, trust_env=False)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, mlflow_url: str) -> Iterator[Proxied]:
    nginx = service("LEADERSBOARD_TEST_NGINX")
    with closing(redis.Redis.from_url(redis_url())) as client:
        client.flushdb()  # attempts of an earlier run count for a minute
    root = tmp_path_factory.mktemp("proxied")
    port = free_port()
    env = environment(
        root,
        redis_url=redis_url(),
        mlflow_url=mlflow_url,
        MLFLOW_URL=f"https://mlflow.example.org:{port}",
        API_PUBLIC_URL=f"https://api.example.org:{port}",
        TRUSTED_PROXIES="127.0.0.1",
        LOGIN_LIMITS=LIMITS,
    )
    env.pop("API_PUBLIC_URL")
    with ExitStack() as stack:
        gateway, _process = stack.enter_context(gateway_process(root, env))
        ui_url, pages_url = stack.enter_context(ui_process(root, gateway.url, FORWARDED_ALLOW_IPS="127.0.0.1"))
        backends = {"api": gateway.url, "ui": ui_url, "mlflow": pages_url}
        stack.enter_context(running_nginx(nginx, root, port, backends))
        trust = ssl.create_default_context(cafile=root / "certificate.pem")
        yield Proxied(port=port, trust=trust, root=root)


@contextmanager
def running_nginx(nginx: str, root: Path, port: int, backends: dict[str, str]) -> Iterator[None]:
    """The documented configuration, with our ports and a throwaway certificate."""
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test"]
    names = ",".join([*(f"DNS:{host}" for host in HOSTS), "IP:127.0.0.1"])
    files = ["-keyout", str(root / "key.pem"), "-out", str(root / "certificate.pem")]
    subprocess.run([*openssl, "-addext", f"subjectAltName={names}", *files], check=True, capture_output=True)
    (root / "nginx.conf").write_text(configuration(root, port, backends))
    with (root / "nginx.log").open("ab") as out:
        process = subprocess.Popen([nginx, "-c", str(root / "nginx.conf"), "-p", str(root)], stdout=out, stderr=out)
    try:
        await_life(f"https://127.0.0.1:{port}", verify=ssl.create_default_context(cafile=root / "certificate.pem"))
        yield
    finally:
        process.terminate()
        process.wait(timeout=120)


def configuration(root: Path, port: int, backends: dict[str, str]) -> str:
    """nginx's settings out of docs/deployment.md, so that what people copy is what is tested."""
    found = re.search(r"```nginx\n(.*?)```", (REPOSITORY / "docs/deployment.md").read_text(), re.DOTALL)
    assert found, "docs/deployment.md has no nginx configuration"
    text = found[1]
    for name, public in (("api", 8010), ("ui", 8501), ("mlflow", 5010)):
        inner = backends[name].rpartition(":")[2]
        assert f"http://127.0.0.1:{public};" in text
        text = text.replace(f"http://127.0.0.1:{public};", f"http://127.0.0.1:{inner};")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("[::]:443", f"[::1]:{port}")
    text = text.replace("/etc/ssl/board/certificate.pem", str(root / "certificate.pem"))
    text = text.replace("/etc/ssl/board/key.pem", str(root / "key.pem"))
    folders = "".join(
        f"{kind}_temp_path {root}/nginx-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; pid {root}/nginx.pid; error_log stderr;" + ("user root;" if os.geteuid() == 0 else "")
    return f"{head} events {{}} http {{ access_log off; {folders} {text} }}"


@pytest.mark.parametrize("host", ["board.example.org", "mlflow.example.org"])
def test_the_session_cookie_is_for_this_host_over_https_alone(proxied: Proxied, host: str) -> None:
    """Secure and __Host-, at the UI's name and at that of MLflow's pages; HSTS is the proxy's."""
    with proxied.client(host) as browser:
        answer = browser.post("/login", data={"token": Door.token})
        cookie = answer.headers["set-cookie"]
        assert answer.status_code == 303
        assert cookie.startswith("__Host-leadersboard_session=")
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
        assert "domain" not in cookie.lower()
        assert "max-age=" in answer.headers["strict-transport-security"]
        session = {"Cookie": cookie.partition(";")[0]}
        assert browser.get("/", headers=session).status_code == 200
    with proxied.client(host) as stranger:
        assert stranger.get("/").status_code == 401
        plain = {"Cookie": cookie.partition(";")[0].removeprefix("__Host-")}
        assert stranger.get("/", headers=plain).status_code == 401


def test_mlflows_pages_have_their_own_name(proxied: Proxied) -> None:
    """Behind another host name the cookie of the UI is not sent, and one signs in there."""
    with proxied.client("mlflow.example.org", Accept="text/html") as browser:
        page = browser.get("/")
        assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2F")
        cookie = browser.post("/login", data={"token": Door.token}).headers["set-cookie"].partition(";")[0]
        assert "<title>MLflow</title>" in browser.get("/", headers={"Cookie": cookie}).text


def test_links_are_https(proxied: Proxied) -> None:
    """What a page names as its own address is the one that people outside opened."""
    with proxied.client("board.example.org") as browser:
        cookie = browser.post("/login", data={"token": Door.token}).headers["set-cookie"].partition(";")[0]
        page = browser.get("/", headers={"Cookie": cookie})
        assert page.status_code == 200
        assert "http://board.example.org" not in page.text
        assert f"https://board.example.org:{proxied.port}" in page.text


def guesses(proxied: Proxied, host: str, address: str, **headers: str) -> list[int]:
    """The statuses of so many wrong passwords, each for another name, until one address has had its share."""
    with proxied.client(host, address, **headers) as someone:
        found = []
        for number in range(6):
            name = f"nobody{number}-{address.replace('.', '-')}"
            if host.startswith("api"):
                answer = someone.post("/auth/login", json={"username": name, "password": "wrong-password-1"})
            else:
                answer = someone.post("/login", data={"user": name, "password": "wrong-password-1"})
            found.append(answer.status_code)
        return found


@pytest.mark.parametrize(
    ("host", "base"), [("api.example.org", 10), ("board.example.org", 20), ("mlflow.example.org", 30)]
)
def test_addresses_are_told_apart(proxied: Proxied, host: str, base: int) -> None:
    """AUT-2: one address that guesses is held up, another is not, and no header makes a new one of it."""
    first, second = f"127.0.{base}.2", f"127.0.{base}.3"
    assert guesses(proxied, host, first) == [401] * 4 + [429] * 2
    assert guesses(proxied, host, first, **{"X-Forwarded-For": "203.0.113.9"}) == [429] * 6
    assert (
        guesses(proxied, host, first, **{"X-Forwarded-For": f"{second}, 127.0.0.1", "X-Real-IP": second}) == [429] * 6
    )
    assert guesses(proxied, host, second)[0] == 401


def test_a_sender_cannot_claim_https_or_another_host(proxied: Proxied) -> None:
    """What the proxy did not say is not believed: its own headers replace the sender's."""
    forged = {
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "proto=http;host=evil.example",
    }
    with proxied.client("board.example.org", **forged) as browser:
        answer = browser.post("/login", data={"token": Door.token})
        assert answer.headers["set-cookie"].startswith("__Host-")
        assert answer.headers["location"] == "/"


def test_streams_and_uploads_pass(proxied: Proxied) -> None:
    """A large upload is refused by the platform, in its words, and a log's stream is not held back."""
    with proxied.client("api.example.org", Authorization=f"Bearer {Door.token}") as api:
        refused = api.post("/submissions", files={"files": ("big.py", b"x" * 101_000_000)})
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert api.get("/jobs").status_code == 200
