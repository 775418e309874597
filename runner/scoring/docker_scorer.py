"""ScorerPort on a Docker engine: one throwaway container for each scoring."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

import docker
import docker.errors
from docker.models.containers import Container

from core.domain.errors import Rejected, Unavailable
from core.domain.limits import ScoringLimits
from core.domain.proof import MAX_ANSWER_BYTES
from core.domain.visible_text import visible
from core.ports.scorer import ScorerAnswer, ScorerSpec
from runner.engine import gvisor
from runner.engine.container_spec import PLAIN
from runner.engine.errors import NoImage, engine_errors
from runner.engine.resources import CALL_SECONDS, found, remove
from runner.scoring.scorer_spec import scorer_name, scorer_options

FIRST_LOOK_SECONDS = 0.05
LONGEST_LOOK_SECONDS = 0.5
MOST_WORDS = 8000
"""Characters of what a scorer printed, half from its beginning and half from its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerScorer:
    """Lives as long as its process. Each call makes its own container and removes it."""

    client: docker.DockerClient
    seccomp: str
    limits: ScoringLimits
    runtime: str = PLAIN.runtime
    process: str = ""
    """The mark of this process; other processes remove its scorers once it is gone."""

    @classmethod
    def on(cls, socket: str, *, seccomp: str, limits: ScoringLimits, runtime: str, process: str = "") -> DockerScorer:
        client = docker.DockerClient(base_url=socket, timeout=CALL_SECONDS)
        calls = gvisor.system_calls(seccomp) if runtime == gvisor.RUNTIME else seccomp
        return cls(client=client, seccomp=calls, limits=limits, runtime=runtime, process=process)

    def close(self) -> None:
        self.client.close()

    def score(self, spec: ScorerSpec, *, check: Callable[[], None]) -> ScorerAnswer:
        spec = replace(spec, run=replace(spec.run, process=self.process))
        with engine_errors():
            remove(found(self.client, scorer_name(spec)))  # of a runner that lost this job
            container = self._created(spec)
            try:
                container.start()
                timed_out = not self._ended(container, check)
                return _answer(container, timed_out=timed_out)
            finally:
                with contextlib.suppress(docker.errors.APIError):
                    remove(container)

    def _created(self, spec: ScorerSpec) -> Container:
        try:
            image_id = str(self.client.images.get(spec.image).id)
        except docker.errors.ImageNotFound as error:
            raise NoImage(spec.image) from error
        options = scorer_options(spec, self.limits, image_id=image_id, seccomp=self.seccomp, runtime=self.runtime)
        try:
            return self.client.containers.create(**options)
        except docker.errors.APIError as error:
            if error.status_code != HTTPStatus.BAD_REQUEST:
                raise
            raise Rejected("The sandbox engine", str(error)[:300]) from error  # e.g. it does not see the labels

    def _ended(self, container: Container, check: Callable[[], None]) -> bool:
        """Waits for its end; False when it is past its time limit. Raises what `check` raises."""
        deadline, look = time.monotonic() + self.limits.seconds, FIRST_LOOK_SECONDS
        while True:
            container.reload()
            if container.attrs["State"]["Status"] not in {"created", "running"}:
                return True
            check()
            if time.monotonic() > deadline:
                container.kill()
                return False
            time.sleep(look)
            look = min(LONGEST_LOOK_SECONDS, 1.5 * look)


def _answer(container: Container, *, timed_out: bool) -> ScorerAnswer:
    container.reload()
    state = container.attrs["State"]
    if state["Dead"]:
        raise Unavailable("The sandbox engine", "it lost a scorer")
    words = container.logs(stdout=False, stderr=True).decode(errors="replace")
    if len(words) > MOST_WORDS:
        words = f"{words[: MOST_WORDS // 2]}\n…\n{words[-MOST_WORDS // 2 :]}"
    return ScorerAnswer(
        exit_code=int(state["ExitCode"]),
        out_of_memory=bool(state["OOMKilled"]),
        timed_out=timed_out,
        scores=container.logs(stdout=True, stderr=False)[: MAX_ANSWER_BYTES + 1],
        words=visible(words),
    )
