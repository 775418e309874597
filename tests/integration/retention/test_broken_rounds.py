"""Retention on real parts: rounds that meet a fault, a dead process, or clocks that differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.adapters.files.old_files import ASIDE
from core.domain.errors import Conflict, Unavailable
from tests.integration.retention.site import Site

pytestmark = pytest.mark.integration


def test_a_submission_posted_meanwhile_is_put_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that comes between the look and the removal finds its submission again."""
    old = site.ended("ann", old=True)
    put_aside = site.files.put_aside

    def posted_meanwhile(submission_id: str) -> bool:
        site.pending("bob", submission_id)
        return put_aside(submission_id)

    monkeypatch.setattr(site.files, "put_aside", posted_meanwhile)
    assert site.retention.carry_out(90).submissions == []
    assert site.storage.get_submission(old.submission_id).submission_id == old.submission_id


def test_what_mlflow_keeps_is_not_forgotten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that could not be removed keeps its job's record: the next round finds both."""
    old = site.ended("ann", old=True)

    def refuses(*_args: object) -> None:
        raise Unavailable("MLflow")

    with monkeypatch.context() as broken:
        broken.setattr(site.runs, "remove_run", refuses)
        site.retention.carry_out(90)
    assert {"record", "run"} <= site.left_of(old)
    site.retention.carry_out(90)
    assert site.left_of(old) == set()


def test_what_a_dead_process_put_aside_is_removed_at_the_next_round(site: Site) -> None:
    """Killed between putting it aside and removing it: nothing of it stays, in no list either."""
    old = site.ended("ann", old=True)
    site.files.put_aside(old.submission_id)
    assert site.retention.plan(90).submissions == [old.submission_id]
    assert site.retention.carry_out(90).submissions == [old.submission_id]
    assert list((site.root / "submissions" / ASIDE).iterdir()) == []
    assert site.storage.list_submissions(user_id="ann").submissions == ()


def test_what_a_dead_process_put_aside_comes_back_for_a_job_that_needs_it(site: Site) -> None:
    """Posted just before it went aside, and its process killed before it looked again."""
    old = site.ended("ann", old=True)
    site.pending("bob", old.submission_id)
    site.files.put_aside(old.submission_id)
    assert site.retention.carry_out(90).submissions == []
    assert site.storage.get_submission(old.submission_id).submission_id == old.submission_id


def test_a_round_says_that_something_kept_it_from_its_work(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is repeated before another day."""
    site.ended("ann", old=True)

    def refuses(*_args: object) -> None:
        raise Unavailable("The storage")

    with monkeypatch.context() as broken:
        broken.setattr(site.files, "remove_log", refuses)
        assert site.retention.carry_out(90).hindered
    assert not site.retention.carry_out(90).hindered


@pytest.mark.parametrize("hours", [-2, 2])
def test_nothing_is_removed_while_the_clocks_differ(site: Site, hours: int) -> None:
    """Files have their times from this machine: by a clock that is hours off, what is young may look old."""
    differing = replace(site.retention, clock_skew=lambda: 3600.0 * hours)
    with pytest.raises(Conflict, match="Nothing is removed"):
        differing.carry_out(1)
