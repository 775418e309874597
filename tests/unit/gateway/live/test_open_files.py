"""Downloads are bounded, since MLflow keeps in its memory what a client does not receive."""

from __future__ import annotations

from contextlib import ExitStack

import anyio
import pytest

from core.domain.errors import LimitReached
from gateway.live import open_files
from gateway.live.open_files import BYTES_OF_ALL, OF_ALL, OF_ONE_USER, BoundedStream, OpenFiles
from tests.sites import Site

pytestmark = pytest.mark.unit


def test_one_user_holds_few_files_and_all_together_not_many() -> None:
    files = OpenFiles()
    with ExitStack() as held:
        for _file in range(OF_ONE_USER):
            held.enter_context(files.one_of("ann"))
        with pytest.raises(LimitReached, match="You are downloading"), files.one_of("ann"):
            pass
        for number in range(OF_ALL - OF_ONE_USER):
            held.enter_context(files.one_of(f"user{number}"))
        with pytest.raises(LimitReached, match="are being downloaded"), files.one_of("bob"):
            pass
    with files.one_of("ann"):
        pass


def test_their_bytes_are_bounded_but_one_file_alone_is_sent_whatever_its_size() -> None:
    files = OpenFiles()
    with files.one_of("ann") as large:
        large.weigh(3 * BYTES_OF_ALL)
        with pytest.raises(LimitReached, match="large files"), files.one_of("bob") as other:
            other.weigh(1)
    with files.one_of("bob") as first, files.one_of("ann") as second:
        first.weigh(BYTES_OF_ALL // 2)
        second.weigh(BYTES_OF_ALL // 2)
        with pytest.raises(LimitReached), files.one_of("ann") as third:
            third.weigh(None)


def test_both_ways_to_a_file_count_and_say_when_to_try_again(site: Site) -> None:
    """By the job and through MLflow's pages; what ended is given back."""
    job_id = site.run("ada")
    run_id = site.ports.job_status.get(job_id).run_id
    ways = (f"/jobs/{job_id}/artifacts/a.txt", f"/mlflow/get-artifact?path=a.txt&run_uuid={run_id}")
    with ExitStack() as held:
        for _file in range(OF_ONE_USER):
            held.enter_context(site.state.open_files.one_of("ada"))
        for way in ways:
            answer = site.as_("ada").get(way)
            assert answer.status_code == 429, way
            assert int(answer.headers["retry-after"]) > 0
            assert "downloading" in answer.json()["detail"]
    for way in ways * OF_ALL:
        assert site.as_("ada").get(way).status_code in {200, 404}


def test_a_receiver_that_stands_still_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "STILL_SECONDS", 0.01)

    async def stands_still(_message: object) -> None:
        await anyio.sleep_forever()

    with pytest.raises(TimeoutError):
        anyio.run(BoundedStream(iter([b"piece"])).stream_response, stands_still)
