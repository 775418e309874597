"""Sealed results as values: one canonical text, bounded, and nothing else is taken for it (DOR-3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.domain.proof import Proof
from core.domain.sealed_result import MAX_SEAL_BYTES, DamagedSeal, SealedFile, SealedResult, finite, opened, sealed
from tests.builders import NOON

pytestmark = pytest.mark.unit

RESULT = SealedResult(
    job_id="1" * 32,
    benchmark="synthetic",
    user_id="ann",
    submission_id="2" * 32,
    run_id="3" * 32,
    experiment_id="1",
    metrics={"b": 1e-300, "a": 0.1},
    params={"method": "PaDiM"},
    figures={"system/wall_seconds": 3.0},
    method="PaDiM",
    ended_at=NOON,
)
LONGEST = [f"{number:0200d}" for number in range(500)]


def test_an_entry_has_the_device_time_of_a_run_on_a_gpu() -> None:
    """Also of one that was sealed before boards showed it."""
    entry = replace(RESULT, tags={"leadersboard.device": "gpu GPU-1f"}).entry(NOON)
    assert entry.metrics["system/device_seconds"] == 3.0
    assert "system/device_seconds" not in RESULT.entry(NOON).metrics


def test_an_entry_has_the_categories_of_its_proof() -> None:
    """So that a board can rank by one of them."""
    proof = Proof(
        scorer="s 1", predictions_sha256="a" * 64, labels_sha256="b" * 64, categories={"weave": {"image_auc": 0.5}}
    )
    assert replace(RESULT, proof=proof).entry(NOON).categories == {"weave": {"image_auc": 0.5}}
    assert RESULT.entry(NOON).categories == {}


def test_equal_results_have_equal_texts() -> None:
    """Whatever the order in which the figures were reported."""
    seal = sealed(RESULT)
    assert sealed(replace(RESULT, metrics={"a": 0.1, "b": 1e-300})) == seal
    assert opened(seal.text, seal.sha256) == RESULT
    assert list(json.loads(seal.text)) == sorted(json.loads(seal.text))
    assert sealed(replace(RESULT, metrics={"a": 0.1000000000000001, "b": 1e-300})).sha256 != seal.sha256


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"job_id": 1}', "{" * 5000])
def test_anything_else_is_damaged(text: str) -> None:
    """Neither a text of another hash nor one that is no result."""
    seal = sealed(RESULT)
    with pytest.raises(DamagedSeal):
        opened(text, seal.sha256)
    with pytest.raises(DamagedSeal):
        opened(text, hashlib.sha256(text.encode()).hexdigest())


def test_all_that_a_run_may_report_fits() -> None:
    """500 metrics and 500 figures of the longest names always; params are cut and files left out, and that is said."""
    figures = dict.fromkeys(LONGEST, -1.7976931348623157e308)
    largest = replace(
        RESULT,
        metrics=figures,
        figures={f"system/{name}": value for name, value in figures.items()},
        params=dict.fromkeys(LONGEST[:100], "\x00😀" * 250),
        method="😀" * 500,
        files=tuple(SealedFile(path="ü" * 200 + str(number), size_bytes=1, sha256="a" * 64) for number in range(1000)),
        tags={f"leadersboard.tag{number}": "x" * 100 for number in range(20)},
    )
    seal = sealed(largest)
    found = opened(seal.text, seal.sha256)
    assert len(seal.text.encode()) <= MAX_SEAL_BYTES
    assert (found.metrics, found.figures) == (largest.metrics, largest.figures)
    assert (found.files, "files" in found.left_out) == ((), True)
    assert {"params", "long params"} & set(found.left_out)


def test_a_long_list_of_files_is_cut_and_counted() -> None:
    """FLD-7: curves stay, and the seal says how many files there were."""
    maps = [SealedFile(path=f"maps/{'ネ' * 100}{number}.png", size_bytes=1, sha256="a" * 64) for number in range(999)]
    result = replace(RESULT, files=(*maps, SealedFile(path="roc.png", size_bytes=1)), file_count=1725)
    seal = sealed(result)
    found = opened(seal.text, seal.sha256)
    assert (found.file_count, found.left_out, found.files[0].path) == (1725, (), "roc.png")
    assert 400 < len(found.files) < 1000
    assert opened(*_parts(replace(result, file_count=None))).file_count == 1000


def _parts(result: SealedResult) -> tuple[str, str]:
    seal = sealed(result)
    return seal.text, seal.sha256


def test_long_params_are_cut_before_they_go() -> None:
    """Their beginnings are worth more than nothing."""
    params = dict.fromkeys(LONGEST[:100], "😀" * 500)
    seal = sealed(replace(RESULT, params=params, metrics=dict.fromkeys(LONGEST, 1.0)))
    found = opened(seal.text, seal.sha256)
    assert "long params" in found.left_out
    assert found.params[LONGEST[0]] == "😀" * 60


def test_what_no_json_holds_is_not_sealed() -> None:
    """NaN and infinity are no numbers to rank by."""
    assert finite({"a": float("nan"), "b": float("-inf"), "c": 1.0}) == {"c": 1.0}
    with pytest.raises(ValueError, match="JSON"):
        sealed(replace(RESULT, metrics={"a": float("nan")}))


def test_a_row_goes_by_the_ledgers_clock() -> None:
    """SCO-4: who was first is no matter of a runner's clock, nor of MLflow's."""
    moment = datetime(2026, 3, 4, tzinfo=UTC)
    row = RESULT.entry(moment)
    assert (row.finished_at, row.metrics["system/wall_seconds"], row.method) == (moment, 3.0, "PaDiM")


def test_a_proof_is_sealed_and_claims_stay_claims() -> None:
    """SCO-2: boards see what counts; the tracking server has the claims under other names. Old seals have neither."""
    proof = Proof(scorer="s 1", predictions_sha256="a" * 64, labels_sha256="b" * 64, categories={"c": {"a": 0.1}})
    result = replace(RESULT, claims={"a": 1.0}, proof=proof)
    found = opened(*_parts(result))
    assert (found.proof, found.claims) == (proof, {"a": 1.0})
    assert found.all_metrics == {**found.counted, "claimed/a": 1.0}
    assert found.entry(NOON).metrics == found.counted
    old = {name: value for name, value in json.loads(sealed(RESULT).text).items() if name not in {"claims", "proof"}}
    text = json.dumps(old)
    assert opened(text, hashlib.sha256(text.encode()).hexdigest()) == RESULT


def test_all_that_a_scored_run_may_have_fits() -> None:
    """The largest proof and figures; claims go before them."""
    figures = dict.fromkeys(LONGEST, -1.7976931348623157e308)
    proof = Proof(scorer="s", predictions_sha256="a" * 64, labels_sha256="b" * 64, notes=("x" * 64_000,))
    largest = replace(
        RESULT, metrics=dict.fromkeys(LONGEST[:100], 0.1), claims=figures, proof=proof,
        figures={f"system/{name}": value for name, value in figures.items()},
    )  # fmt: skip
    found = opened(*_parts(largest))
    assert (found.metrics, found.figures, found.proof) == (largest.metrics, largest.figures, proof)
    assert (found.claims, "claims" in found.left_out) == ({}, True)
