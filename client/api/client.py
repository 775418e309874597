"""The REST API as methods: one per endpoint, typed values in and out."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2

from client.api.async_client import AsyncLeadersboardClient
from client.api.audit import AuditPage
from client.api.boards import (
    BenchmarkCheckList,
    BenchmarkList,
    Board,
    By,
    Cost,
    Entries,
    History,
    ResourceClassList,
    WeightsList,
)
from client.api.entries import EntryCalls
from client.api.exchange import DOWNLOAD_TIMEOUT, UPLOAD_TIMEOUT, Exchange, open_async_http, open_http, segment
from client.api.models import ArtifactList, Job, JobPage, LogPart, Results, Submission, SubmissionPage
from client.api.overview import Overview
from client.api.provenance import Provenance
from client.api.signing import Me


class LeadersboardClient:
    """The platform as seen by one user; every method raises `client.api.errors.LeadersboardError` if it fails."""

    def __init__(self, http: httpx2.Client, token: str) -> None:
        self._http = http
        self._token = token
        self._exchange = Exchange(http, token)
        self.entries = EntryCalls(self._exchange)
        """Title, note and state of entries of boards."""

    @asynccontextmanager
    async def open_async(self) -> AsyncIterator[AsyncLeadersboardClient]:
        """The same platform and user for asynchronous code, over connections of its own, while the context lasts."""
        async with open_async_http(str(self._http.base_url), use_proxies=self._http.trust_env) as http:
            yield AsyncLeadersboardClient(http, self._token)

    def me(self) -> Me:
        """The user to whom the token belongs."""
        return self._exchange.ask(Me, "GET", "/auth/me")

    def create_submission(
        self,
        files: Sequence[Path],
        *,
        entrypoint: str = "main.py",
        config_file: str = "config.yaml",
        metadata: Mapping[str, Any] | None = None,
    ) -> Submission:
        """Upload files under their own names, streamed from disk."""
        form = {"entrypoint": entrypoint, "config_file": config_file, "metadata": json.dumps(dict(metadata or {}))}
        with ExitStack() as opened:
            parts = [("files", (path.name, opened.enter_context(path.open("rb")))) for path in files]
            return self._exchange.ask(
                Submission, "POST", "/submissions", files=parts, data=form, timeout=UPLOAD_TIMEOUT
            )

    def submissions(self, *, limit: int = 50, cursor: str | None = None) -> SubmissionPage:
        """The user's submissions, newest first; for administrators all submissions."""
        return self._exchange.ask(SubmissionPage, "GET", "/submissions", params=_given(limit=limit, cursor=cursor))

    def submission(self, submission_id: str) -> Submission:
        """One submission, with its files."""
        return self._exchange.ask(Submission, "GET", f"/submissions/{segment(submission_id)}")

    def submission_archive(self, submission_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """A submission's files as a tar.gz, piece by piece."""
        return self._exchange.download(f"/submissions/{segment(submission_id)}/archive")

    def create_job(
        self,
        submission_id: str,
        config: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        trial: bool = False,
    ) -> Job:
        """Queue a submission; the same submission and config again return the same job, unless a key is given.

        A trial runs on a few pictures, and nothing of it is recorded.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = {"submission_id": submission_id, "config": dict(config or {})} | ({"trial": True} if trial else {})
        return self._exchange.ask(Job, "POST", "/jobs", json=body, headers=headers)

    def rerun_job(self, job_id: str, *, idempotency_key: str | None = None, as_job: bool = False) -> Job:
        """Queue the same submission and config once more: another job each time, unless the key is the same.

        Of a trial another trial, or with `as_job` a job that counts.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        params = {"as_job": True} if as_job else None
        return self._exchange.ask(Job, "POST", f"/jobs/{segment(job_id)}/rerun", headers=headers, params=params)

    def jobs(
        self,
        *,
        status: str | None = None,
        benchmark: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """The user's jobs, newest first; for administrators all jobs."""
        asked = _given(status=status, benchmark=benchmark, limit=limit, cursor=cursor)
        return self._exchange.ask(JobPage, "GET", "/jobs", params=asked)

    def job(self, job_id: str) -> Job:
        """A job's status."""
        return self._exchange.ask(Job, "GET", f"/jobs/{segment(job_id)}/status")

    def cancel_job(self, job_id: str) -> Job:
        """Request that a job be stopped."""
        return self._exchange.ask(Job, "POST", f"/jobs/{segment(job_id)}/cancel")

    def log_tail(self, job_id: str, *, lines: int = 1000) -> LogPart:
        """The last lines of a job's log."""
        return self._exchange.ask(LogPart, "GET", f"/jobs/{segment(job_id)}/logs", params={"tail": lines})

    def log_after(self, job_id: str, *, offset: int) -> LogPart:
        """The log from a byte offset on; empty if there is nothing new."""
        return self._exchange.ask(LogPart, "GET", f"/jobs/{segment(job_id)}/logs", params={"offset": offset})

    def results(self, job_id: str) -> Results:
        """The results of a finished job. Raises `NotNow` before its end."""
        return self._exchange.ask(Results, "GET", f"/jobs/{segment(job_id)}/results")

    def provenance(self, job_id: str) -> Provenance:
        """Where a finished job's result comes from. Raises `NotNow` before its end."""
        return self._exchange.ask(Provenance, "GET", f"/jobs/{segment(job_id)}/provenance")

    def artifacts(self, job_id: str) -> ArtifactList:
        """The files of a finished job."""
        return self._exchange.ask(ArtifactList, "GET", f"/jobs/{segment(job_id)}/artifacts")

    def artifact(self, job_id: str, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """One of a finished job's files, piece by piece."""
        parts = "/".join(segment(part) for part in path.split("/"))
        return self._exchange.download(f"/jobs/{segment(job_id)}/artifacts/{parts}")

    def benchmarks(self) -> BenchmarkList:
        """The benchmarks for which code can be submitted."""
        return self._exchange.ask(BenchmarkList, "GET", "/benchmarks")

    def weights(self) -> WeightsList:
        """The weights that every run finds in /weights."""
        return self._exchange.ask(WeightsList, "GET", "/weights")

    def check_benchmarks(self, benchmark: str | None = None) -> BenchmarkCheckList:
        """What is wrong with all benchmarks' settings and folders; with a name also with each picture, for up to 20 s.

        For administrators; raises `NotAllowed` for other users, `NotNow` while another check runs.
        """
        asked = _given(benchmark=benchmark)
        return self._exchange.ask(
            BenchmarkCheckList, "GET", "/benchmarks/check", params=asked, timeout=DOWNLOAD_TIMEOUT
        )

    def resource_classes(self) -> ResourceClassList:
        """The resource classes that a job can request."""
        return self._exchange.ask(ResourceClassList, "GET", "/resource-classes")

    def leaderboard(
        self,
        *,
        benchmark: str | None = None,
        metric: str | None = None,
        direction: Literal["maximize", "minimize"] | None = None,
        entries: Entries = "best",
        category: str | None = None,
        by: By = "value",
        cost: Cost | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Board:
        """A benchmark's ranking, also in one category: the best or the latest entry of each user, or all."""
        which = {"benchmark": benchmark, "metric": metric, "direction": direction, "entries": entries}
        asked = _given(**which, category=category, by=_unusual(by), cost=cost, limit=limit, offset=offset)
        return self._exchange.ask(Board, "GET", "/leaderboard", params=asked)

    def leaderboard_history(
        self, *, benchmark: str | None = None, metric: str | None = None, category: str | None = None
    ) -> History:
        """How the best score of a board grew: each job that was better than all before it."""
        asked = _given(benchmark=benchmark, metric=metric, category=category)
        return self._exchange.ask(History, "GET", "/leaderboard/history", params=asked)

    def leaderboard_file(
        self,
        *,
        benchmark: str | None = None,
        metric: str | None = None,
        entries: Entries = "best",
        category: str | None = None,
        by: By = "value",
        format: Literal["csv", "json"] = "csv",  # noqa: A002 the API's name
    ) -> AbstractContextManager[Iterator[bytes]]:
        """All rows of a board as a file, piece by piece. CSV is UTF-8 with a byte order mark, for spreadsheets."""
        asked = _given(
            benchmark=benchmark, metric=metric, entries=entries, category=category, by=_unusual(by), format=format
        )
        return self._exchange.download("/leaderboard/export", params=asked)

    def audit(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AuditPage:
        """Acts of administrators, newest first; for administrators only. A short page may still have a next one."""
        asked = _given(actor=actor, action=action, target=target, limit=limit, cursor=cursor)
        return self._exchange.ask(AuditPage, "GET", "/admin/audit", params=asked)

    def overview(self) -> Overview:
        """Notices about the site for administrators. Raises `NotAllowed` for other users."""
        return self._exchange.ask(Overview, "GET", "/admin/overview")


@contextmanager
def connect(base_url: str, token: str) -> Iterator[LeadersboardClient]:
    """A client with a connection pool of its own, which is closed at the end."""
    with open_http(base_url) as http:
        yield LeadersboardClient(http, token)


def _unusual(by: By) -> By | None:
    """None for the usual order, which platforms without the parameter know alone."""
    return None if by == "value" else by


def _given(**asked: Any) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}
