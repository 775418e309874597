"""The tracking port's contract for names and texts of a report: whatever the parser takes is recorded as it is."""

from __future__ import annotations

import random
import sys
from dataclasses import replace

import pytest

from core.domain.applied_config import MOST_PARAMS, applied
from core.domain.metric_names import NAME_BYTES, composed, name_fault
from core.domain.metrics import MAX_METRICS, MAX_PARAMS, parse_metrics
from core.domain.sealed_result import opened, sealed
from core.ports.tracking import TrackingPort
from tests.builders import metrics_json
from tests.contract.tracking.results import result_of

pytestmark = pytest.mark.contract

PLAIN = ["精度", "Präzision", "é/ñ", ".a", "a.", "AR at 100", "x:y-z", "a-", "a" * NAME_BYTES, "精" * (NAME_BYTES // 3)]
SEED, STEP = 27, 37


def taken_names(count: int) -> list[str]:
    """Names that the parser takes, of letters of all scripts."""
    chance = random.Random(SEED)
    signs = map(chr, range(ord("0"), sys.maxunicode, STEP))
    letters = [sign for sign in signs if name_fault(composed(sign), of_metric=True) is None]
    found = dict.fromkeys(PLAIN)
    while len(found) < count:
        name = composed("".join([*chance.sample(letters, 20), *chance.sample("_-.: /", 3)]))
        if name_fault(name, of_metric=True) is None:
            found[name] = None
    return list(found)[:count]


def test_every_name_that_the_parser_takes_is_recorded(tracking: TrackingPort, fresh_name: str) -> None:
    """FLD-3: a name that the server refuses would hold the result back for ever."""
    names = taken_names(MAX_METRICS)
    params = {name: ["JSON", {"精": "a\x00b"}] for name in names[:MAX_PARAMS]}
    report = parse_metrics(metrics_json(metrics=dict.fromkeys(names, 0.5), params=params))
    assert (len(report.metrics), len(report.params)) == (len(names), len(params))
    result = replace(result_of(fresh_name), metrics=report, measured={})
    ref = tracking.record(result)
    run = tracking.get_run(ref.run_id)
    assert dict(run.metrics) == dict(report.metrics)
    assert dict(run.params) == dict(report.params)


def test_the_longest_names_fit_into_a_seal(tracking: TrackingPort, fresh_name: str) -> None:
    """DOR-3: figures always fit, in whatever script their names are."""
    long = {f"{number:03}{'𠀀' * 49}": 1e-300 / 3 for number in range(MAX_METRICS)}
    report = parse_metrics(metrics_json(metrics=long, performance=long))
    result = replace(result_of(fresh_name), metrics=report, measured={})
    seal = sealed(result.sealed_as(tracking.record(result)))
    assert opened(seal.text, seal.sha256).metrics == report.metrics


def test_config_params_go_beside_the_reported_ones(tracking: TrackingPort, fresh_name: str) -> None:
    """More than one request of the server takes; whatever sign is in a config's names."""
    odd = {
        f"{sign}{number}": "x" * 1_000_000
        for number, sign in enumerate(["#", "%", "..", "é/ñ", "a:b", "\x00", "精", " "])
    }
    config = applied({**odd, **{f"k{number}": number for number in range(10_000)}}, {"model": {"lr": 1}, "model.lr": 2})
    reported = {f"p{number}": "1" for number in range(MAX_PARAMS)}
    made = result_of(fresh_name)
    result = replace(made, metrics=replace(made.metrics, params={**reported, **config.params}))
    run = tracking.get_run(tracking.record(result).run_id)
    assert (len(run.params), dict(run.params)) == (MAX_PARAMS + MOST_PARAMS, {**reported, **config.params})
    assert run.params["config/model.lr"] == "1"
