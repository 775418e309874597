r"""PER-5: users of the gateway. Each has a submission, a job with a 1,000-line log, and sends a request every 2 s.

`measurements/api_load.py` runs this against its servers; by hand:
BENCH_TOKENS=token,token BENCH_LOGS=/shared/logs \
  locust -f measurements/locustfile.py --headless -u 100 -r 10 -t 60s --host …
"""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path
from typing import Any

from locust import FastHttpUser, between, task

CODE = (b"# " + b"x" * 77 + b"\n") * 256  # 20 KB
LOG = "".join(f"epoch {line:04d} of 1000: loss 0.1234, image_auc 0.9876\n" for line in range(1000))
TOKENS = os.environ.get("BENCH_TOKENS", "").split(",")
LOGS = os.environ.get("BENCH_LOGS")
MOST_SUBMISSIONS = 200
"""Of one user; at this pace a load test ends long before."""

_people = itertools.count()


class Researcher(FastHttpUser):  # type: ignore[misc] # locust has no types
    """Mostly reads, now and then a post, as in a working day; the pace is faster than a person's."""

    wait_time = between(1.0, 3.0)

    def on_start(self) -> None:
        number = next(_people)
        self.token = TOKENS[number % len(TOKENS)]
        self.random = random.Random(number)
        self.submissions: list[str] = []
        self.count = 0
        self.submit()
        self.job = self.enqueue()
        if LOGS:
            (Path(LOGS) / f"{self.job}.log").write_text(LOG)

    @task(1)
    def submit(self) -> None:
        if len(self.submissions) >= MOST_SUBMISSIONS:
            return
        self.count += 1
        unique = f"# {self.token} {self.count}\n".encode()
        body = b"".join(_part(name, text) for name, text in {"main.py": unique + CODE, "config.yaml": b"{}\n"}.items())
        headers = {"Content-Type": "multipart/form-data; boundary=bench"}
        answer = self._ask("POST", "/submissions", "submit", headers=headers, data=body + b"--bench--\r\n")
        self.submissions.append(answer["submission_id"])

    @task(1)
    def enqueue(self) -> str:
        self.count += 1
        body = {"submission_id": self.random.choice(self.submissions), "config": {"n": self.count}}
        return str(self._ask("POST", "/jobs", "enqueue", json=body)["job_id"])

    @task(4)
    def status(self) -> None:
        self._ask("GET", f"/jobs/{self.job}/status", "status")

    @task(2)
    def logs(self) -> None:
        self._ask("GET", f"/jobs/{self.job}/logs?tail=1000", "logs")

    def _ask(self, method: str, path: str, name: str, headers: dict[str, str] | None = None, **request: Any) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        with self.client.request(method, path, name=name, headers=sent, **request) as answer:
            answer.raise_for_status()
            return answer.json()


def _part(name: str, content: bytes) -> bytes:
    head = f'--bench\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"
