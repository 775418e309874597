"""Makes the data of a small site with the parts of this version, for later versions to be tested on.

    python -m tests.old_sites.make tests/old_sites/VERSION       in the environment that scripts/test makes

Needs the real engine and MLflow, and an empty Redis database: LEADERSBOARD_TEST_REDIS_DB. Writes `ledger.json`, every
key of the ledger with its value, `shared.tar.gz`, the folders of submissions, logs and jobs, and `answers.json`, what
the API answered of them.
"""

from __future__ import annotations

import json
import socket
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import redis

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.dead_letter import Failure
from runner.engine.docker_engine import DockerEngine
from tests.conftest import redis_url, service
from tests.docker.runner_site import Site, kill_group, until
from tests.running_gateway import Door, environment, gateway_process
from tests.twin_runner import GOOD

PASSWORD = "correct horse battery staple"
SLOW = f"import time\nprint('begun', flush=True)\ntime.sleep(20)\n{GOOD}"
RUN_KEY = "leaderboard:run:"
FOLDERS = ("submissions", "logs", "jobs")


def main(target: Path) -> None:
    client = redis.Redis.from_url(redis_url())
    assert not client.dbsize(), "the Redis database is not empty"
    with tempfile.TemporaryDirectory(dir=service("LEADERSBOARD_TEST_ROOT")) as folder, closing(client):
        root = Path(folder)
        site = Site(
            root, redis_url(), service("LEADERSBOARD_TEST_MLFLOW_URL"),
            service("LEADERSBOARD_TEST_SANDBOX_IMAGE"), "synthetic",
        )  # fmt: skip
        try:
            kept = fill(site, root)
            write(target, {"answers.json": kept, "ledger.json": dump(client)}, root)
        finally:
            discard_runs(client)
            remove_run(site)
            site.close()
            client.flushdb()


def discard_runs(client: redis.Redis) -> None:
    """The data holds the sealed results; MLflow's part is not in it."""
    with closing(MlflowTracking(service("LEADERSBOARD_TEST_MLFLOW_URL"))) as tracking:
        for key in client.scan_iter(f"{RUN_KEY}*"):
            tracking.discard(text(key).removeprefix(RUN_KEY), closed=True)


def remove_run(site: Site) -> None:
    """What the killed runner left in the engine."""
    image = service("LEADERSBOARD_TEST_SANDBOX_IMAGE")
    engine = DockerEngine(service("LEADERSBOARD_TEST_ENGINE"), site=site.ledger.ledger_id(), image=image, seccomp="{}")
    with closing(engine):
        for job_id, _claim in engine.runs():
            engine.remove_leftovers(job_id)


def write(target: Path, texts: Mapping[str, Any], root: Path) -> None:
    """Without the names of this machine: its folders, its host, its engine's host."""
    [host] = texts["ledger.json"]["leaderboard:runners:hosts"][1]
    names = {str(root): "/shared", host: "old-host", f"{socket.gethostname()}:": "old-runner:"}

    def general(text: str) -> str:
        for name, instead in names.items():
            text = text.replace(name, instead)
        return text

    target.mkdir(parents=True, exist_ok=True)
    for name, values in texts.items():
        (target / name).write_text(general(json.dumps(values, indent=1, sort_keys=True)) + "\n")
    with tarfile.open(target / "shared.tar.gz", "w:gz") as archive:
        for path in sorted(path for name in FOLDERS for path in (root / name).rglob("*")):
            archive.add(path, general(str(path.relative_to(root))), recursive=False)


def fill(site: Site, root: Path) -> Mapping[str, Any]:
    """Jobs in each state, one under way when its runner dies; an account, a pin, a dead letter, acts of admins."""
    env = environment(
        root, redis_url=redis_url(), mlflow_url=site.environment["MLFLOW_TRACKING_URI"], ALLOW_OLD_ENGINE="true"
    )
    with gateway_process(root, env) as (door, _process), door.client() as ann, door.client(Door.admin_token) as admin:
        posted(admin, "/users", {"name": "cleo", "password": PASSWORD})
        posted(door.client(""), "/auth/login", {"username": "cleo", "password": PASSWORD})
        with site.runner():
            completed = job(ann, GOOD)
            failed = job(ann, "raise SystemExit('no data')")
            with door.client(Door.other_token) as bob:
                others = job(bob, GOOD.replace("0.5", "0.75"))
            for job_id in (completed, failed, others):
                until(lambda job_id=job_id: state(admin, job_id) in {"completed", "failed"}, "it has ended")
        posted(admin, f"/admin/jobs/{completed}/pin", None)
        cancelled = job(ann, GOOD + "# cancelled")
        posted(ann, f"/jobs/{cancelled}/cancel", None)
        with site.runner() as process:
            running = job(ann, SLOW)
            until(lambda: "begun" in site.log(running), "it runs")
            kill_group(process)
        job(ann, GOOD + "# waiting")
        site.dead_letters.keep(Failure(step="sweep", error="ValueError", message="An error of the test."))
        return answers(ann, admin)


def state(client: httpx2.Client, job_id: str) -> str:
    return str(client.get(f"/jobs/{job_id}/status").raise_for_status().json()["status"])


def posted(client: httpx2.Client, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
    answer = client.post(path, json=body).raise_for_status()
    found: Mapping[str, Any] = answer.json() if answer.content else {}
    return found


def job(client: httpx2.Client, program: str) -> str:
    """Posted with a submission of its own."""
    files = [("files", ("main.py", program.encode())), ("files", ("config.yaml", b"seed: 1\n"))]
    submission = client.post("/submissions", files=files).raise_for_status().json()["submission_id"]
    return str(posted(client, "/jobs", {"submission_id": submission})["job_id"])


def answers(ann: httpx2.Client, admin: httpx2.Client) -> Mapping[str, Any]:
    """What the API answers of everything that is kept, by user and path."""
    jobs = [found["job_id"] for found in admin.get("/jobs").raise_for_status().json()["items"]]
    paths = {
        "ann": ["/jobs", "/submissions", "/leaderboard?benchmark=synthetic"],
        "admin": [
            "/users", "/admin/audit", "/admin/dead-letters", "/admin/pins",
            "/leaderboard?benchmark=synthetic&entries=all",
            *(f"/jobs/{job_id}/{what}" for job_id in jobs for what in ("status", "logs", "results")),
        ],
    }  # fmt: skip
    clients = {"ann": ann, "admin": admin}
    return {user: {path: answer(clients[user], path) for path in some} for user, some in paths.items()}


def answer(client: httpx2.Client, path: str) -> Any:
    """A refusal counts by its status: a job without a result has none."""
    found = client.get(path)
    return found.json() if found.status_code == 200 else found.status_code


def dump(client: redis.Redis) -> Mapping[str, Any]:
    """Every key with its type and its value, in a form that no version of Redis owns."""
    return {text(key): [kind := text(client.type(key)), READ[kind](client, key)] for key in sorted(client.scan_iter())}


def text(value: bytes) -> str:
    """Bytes that are no UTF-8 come back from it as they were."""
    return value.decode("utf-8", "surrogateescape")


def _pairs(found: Mapping[bytes, bytes]) -> Mapping[str, str]:
    return {text(name): text(value) for name, value in found.items()}


READ: Mapping[str, Callable[[redis.Redis, bytes], Any]] = {
    "string": lambda client, key: text(client.get(key)),
    "hash": lambda client, key: _pairs(client.hgetall(key)),
    "list": lambda client, key: [text(item) for item in client.lrange(key, 0, -1)],
    "set": lambda client, key: sorted(text(item) for item in client.smembers(key)),
    "zset": lambda client, key: [[text(item), score] for item, score in client.zrange(key, 0, -1, withscores=True)],
    "stream": lambda client, key: [[text(number), _pairs(fields)] for number, fields in client.xrange(key)],
}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
