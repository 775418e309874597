"""Assesses the report of a passed run by its benchmark, before it is recorded."""

from __future__ import annotations

from dataclasses import replace

from core.domain.assessment import assess
from core.domain.benchmark import Scoring
from core.domain.errors import NotFound
from core.domain.verdict import RunRecord, Verdict
from core.ports.tracking import system_figures_of
from runner.job.attempt import Attempt


def assessed(attempt: Attempt, verdict: Verdict, record: RunRecord) -> Verdict:
    """The verdict with the metrics that count, the notes on them, and whether and why not the run is ranked.

    Waits for a benchmark whose file is being rewritten. Raises Cancelled, LeaseLost, HandOver, Unavailable.
    """
    if verdict.metrics is None:
        raise ValueError("only a passed run is assessed")
    if verdict.ranked is not None or (attempt.job.trial and attempt.scoring is Scoring.VERIFIED):
        return verdict  # it was found before that no score counts, or there is none to be ranked
    name = attempt.job.benchmark
    try:
        benchmark = attempt.awaited(lambda: attempt.context.ports.benchmarks.get(name))
    except NotFound:
        because = "this site no longer has the benchmark"
        return replace(verdict, ranked=False, unranked_because=because)
    figures = system_figures_of(verdict.metrics, record.peaks)
    found = assess(verdict.metrics, benchmark, figures=figures, is_scored=verdict.proof is not None)
    return replace(
        verdict,
        metrics=found.metrics,
        notes=found.notes,
        ranked=found.unranked_because is None,
        unranked_because=found.unranked_because,
    )
