"""Results that wait at real runners for a tracking server that answers and takes none: few tries, then all in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.domain.job import JobState
from tests.docker.runner_site import Site, ended, mlflow_runs, until
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

RESULTS = 6
DOWN_SECONDS = 20
MOST_REQUESTS = 12
"""With pauses of 1, 2, 4, 8 s and their random parts, about six; without, each worker lets all six go each time."""


class Refusing(ThreadingHTTPServer):
    """Says that it is well, and answers everything else with 503."""

    daemon_threads = True
    tries: int = 0


class Handler(BaseHTTPRequestHandler):
    server: Refusing

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def _answer(self) -> None:
        is_well = self.path == "/health"
        self.server.tries += not is_well
        text = b"OK" if is_well else b"{}"
        self.send_response(200 if is_well else 503)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words: object) -> None:
        """Nothing is printed."""


@contextmanager
def refusing() -> Iterator[tuple[Refusing, str]]:
    with Refusing(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


def test_results_are_tried_per_server_and_drained_in_order(site: Site) -> None:
    """TRK-5: two workers, six results; when it is back all of them are recorded, each once."""
    ids = [site.post(GOOD + f"# {number}\n", f"user{number}") for number in range(RESULTS)]
    host_of = lambda: site.ledger.get(ids[0]).host or ""  # noqa: E731
    with refusing() as (server, url), site.runner(processes=2, MLFLOW_TRACKING_URI=url):
        until(lambda: all("The result is kept" in site.log(job_id) for job_id in ids), "all wait")
        before = server.tries
        time.sleep(DOWN_SECONDS)
        assert server.tries - before <= MOST_REQUESTS
        assert site.ledger.waiting_results(host_of()) >= RESULTS - 1
    with site.runner(processes=2):
        jobs = [ended(site, job_id) for job_id in ids]
    assert {(job.state, job.attempt) for job in jobs} == {(JobState.COMPLETED, 1)}
    assert mlflow_runs(site) == sorted((job.run_id or "", "FINISHED") for job in jobs)
