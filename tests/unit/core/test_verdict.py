"""Judgement: the order of rules, and what each reason tells its submitter."""

from __future__ import annotations

import itertools
import re

import pytest

from core.domain.limits import MEDIUM, MIB, SMALL
from core.domain.verdict import FailureReason, RunRecord, Stop, judge
from tests.builders import metrics_json, record

pytestmark = pytest.mark.unit

ORDER = [
    ({"stopped": Stop.TIMEOUT}, FailureReason.TIMEOUT),
    ({"out_of_memory": True}, FailureReason.OUT_OF_MEMORY),
    ({"exit_code": 3}, FailureReason.EXIT),
    ({"metrics_problem": "it is a link", "metrics": None}, FailureReason.BAD_METRICS),
    ({"metrics": None}, FailureReason.NO_METRICS),
]
"""Each row decides over all rows below it (BOX-9)."""


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_an_earlier_rule_decides_over_every_set_of_later_ones(first: int) -> None:
    """BOX-9: our own stop, memory, exit code, metrics: always in this order."""
    facts, reason = ORDER[first]
    for count in range(len(ORDER) - first):
        for later in itertools.combinations(ORDER[first + 1 :], count):
            merged: dict[str, object] = {}
            for other, _reason in later:
                merged |= other
            assert judge(record(**merged | facts), SMALL).reason is reason


@pytest.mark.parametrize(("stop", "reason"), [(Stop.TIMEOUT, "timeout"), (Stop.LOG_LIMIT, "log_limit")])
def test_our_own_stop_decides_first(stop: Stop, reason: str) -> None:
    """Whatever exit code and flags our stop caused, the stop is the reason; good metrics do not save the run."""
    found = judge(record(stopped=stop, exit_code=137, out_of_memory=True), SMALL)
    assert found.reason == reason
    assert not found.passed


def test_a_cancelled_run_is_cancelled_and_not_failed() -> None:
    """A cancel wins over everything and has no failure reason."""
    found = judge(record(stopped=Stop.CANCEL, exit_code=137), SMALL)
    assert found.cancelled
    assert found.reason is None
    assert not found.passed


def test_good_metrics_and_a_good_exit_pass() -> None:
    """A passed verdict has metrics, no reason, and was not cancelled."""
    found = judge(record(), SMALL)
    assert found.passed
    assert found.reason is None
    assert not found.cancelled
    assert found.metrics.metrics == {"image_auc": 0.9}


@pytest.mark.parametrize("code", [1, 3, 132, 134, 135, 136, 137, 139, 143, 255])
def test_metrics_of_a_crashed_program_never_count(code: int) -> None:
    """H65: the exit code comes before the metrics; signals are called by name."""
    found = judge(record(exit_code=code), SMALL)
    assert found.reason is FailureReason.EXIT
    assert str(code) in found.message
    assert ("SIG" in found.message) is (128 < code < 200)


def test_memory_decides_over_a_good_exit() -> None:
    """A child that was killed for memory fails the run, also when its parent went on and wrote metrics."""
    assert judge(record(out_of_memory=True), SMALL).reason is FailureReason.OUT_OF_MEMORY


@pytest.mark.parametrize("changes", [{"exit_code": 1}, {"exit_code": 1, "metrics": None}, {"metrics": None}])
def test_a_full_output_directory_explains_a_failure(changes: dict[str, object]) -> None:
    """H35: where the output was full, that is the reason of a bad exit or missing metrics."""
    assert judge(record(output_full=True, **changes), SMALL).reason is FailureReason.OUTPUT_LIMIT


def test_a_full_output_directory_alone_is_no_failure() -> None:
    """Metrics that were written completely count."""
    assert judge(record(output_full=True), SMALL).passed


def test_memory_decides_over_a_full_output() -> None:
    """Output lies in memory; the limit that killed is named."""
    assert judge(record(output_full=True, out_of_memory=True), SMALL).reason is FailureReason.OUT_OF_MEMORY


@pytest.mark.parametrize("raw", [b"", b"{", metrics_json(metrics="x"), b'{"params":{},"image_auc":0.9}'])
def test_bad_metrics_fail_with_the_rule(raw: bytes) -> None:
    """H51, H55: the message carries the sentence of the parser."""
    found = judge(record(metrics=raw), SMALL)
    assert found.reason is FailureReason.BAD_METRICS
    assert found.message.startswith("metrics")


def test_a_report_with_bad_entries_passes_with_notes() -> None:
    """FLD-3: also if no entry counts; what the run left is not thrown away."""
    found = judge(record(metrics=b'{"params":{},"metrics":{"a":NaN}}'), SMALL)
    assert found.passed
    assert "metrics['a'] = NaN was left out" in found.notes[0]


def test_missing_metrics_are_told_with_the_file_that_was_meant() -> None:
    """Field case 31: where it lies and where it belongs."""
    found = judge(record(metrics=None, metrics_elsewhere=("Padim/v0/metrics.json",)), SMALL)
    assert found.reason is FailureReason.NO_METRICS
    assert found.message.endswith("There is Padim/v0/metrics.json: write it to --output itself.")


def test_a_metrics_file_that_cannot_be_read_is_bad() -> None:
    """H47-H50: links, FIFOs and the like are refused with their kind."""
    found = judge(record(metrics=None, metrics_problem="it is a link"), SMALL)
    assert found.reason is FailureReason.BAD_METRICS
    assert "it is a link" in found.message


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"stopped": Stop.TIMEOUT}, ["3600 s", "'medium'"]),
        ({"out_of_memory": True, "peaks": {"memory_bytes": 700 * MIB}}, ["16384 MiB", "700 MiB", "'medium'"]),
        ({"out_of_memory": True}, ["16384 MiB", "'medium'"]),
        ({"metrics": None, "output_full": True}, ["2048 MiB", "20000 files", "'medium'"]),
        ({"metrics": None}, ["--output"]),
        ({"stopped": Stop.LOG_LIMIT}, ["Print less"]),
        ({"exit_code": 139}, ["SIGSEGV", "139", "log"]),
    ],
)
def test_messages_name_the_deciding_facts(changes: dict[str, object], facts: list[str]) -> None:
    """BOX-9: limit and peak, the class, and what to do about it."""
    message = judge(record(**changes), MEDIUM).message
    assert all(fact in message for fact in facts)
    assert re.search(r"\.$", message)
    assert ".." not in message


def test_every_record_gets_one_verdict() -> None:
    """Over all combinations: passed, cancelled or one reason, never two of them and never none."""
    for stop, memory, code, full, problem, raw in itertools.product(
        [None, *Stop], [True, False], [0, 1], [True, False], [None, "x"], [None, b"", metrics_json()]
    ):
        found = judge(
            RunRecord(
                exit_code=code,
                out_of_memory=memory,
                stopped=stop,
                wall_seconds=1,
                metrics=raw,
                metrics_problem=problem,
                output_full=full,
            ),
            SMALL,
        )
        assert [found.passed, found.cancelled, found.reason is not None].count(True) == 1


def test_the_list_of_reasons_is_closed() -> None:
    """BOX-9 names ten."""
    assert set(FailureReason) == {
        *("exit", "timeout", "out_of_memory", "output_limit", "log_limit"),
        *("no_metrics", "bad_metrics", "no_predictions", "bad_predictions", "requirements", "score", "platform"),
    }


@pytest.mark.parametrize(
    ("facts", "claims", "note"),
    [
        ({}, {"image_auc": 0.9}, ""),
        ({"metrics": None}, {}, ""),
        ({"metrics": b"{"}, {}, "not valid JSON"),
        ({"metrics": None, "metrics_problem": "it is a link"}, {}, "it is a link"),
    ],
)
def test_a_run_that_the_platform_scores_needs_no_metrics(
    facts: dict[str, object], claims: dict[str, float], note: str
) -> None:
    """SCO-2: a bad file costs only its claims; every other rule holds."""
    found = judge(record(**facts), SMALL, is_scored=True)
    assert found.metrics is not None
    assert found.metrics.metrics == claims
    assert note in " ".join(found.notes)
    assert judge(record(**facts | {"exit_code": 1}), SMALL, is_scored=True).reason is FailureReason.EXIT
