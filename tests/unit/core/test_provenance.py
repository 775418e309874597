"""Where a result comes from, as a value: sealed, bounded, and readable where an older version noted nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from core.domain.provenance import LIBRARIES, LONGEST, MOST_VERSIONS, PREFIX, Provenance
from core.domain.sealed_result import MAX_SEAL_BYTES, opened, sealed
from core.domain.tracking_state import recorded_tags
from tests.unit.core.test_sealed_result import LONGEST as LONGEST_NAMES
from tests.unit.core.test_sealed_result import RESULT

pytestmark = pytest.mark.unit

FULL = Provenance(
    config_sha256="1" * 64,
    config_file_sha256="2" * 64,
    seed="s" * LONGEST,
    data_sha256="3" * 64,
    libraries=dict.fromkeys((*LIBRARIES, "python"), "9" * LONGEST),
    versions={f"{number}{'v' * 60}": "9" * LONGEST for number in range(MOST_VERSIONS)},
    limits={f"limit{number}": "9" * LONGEST for number in range(13)},
    runner_version="0.1.0",
    unknown={f"part{number}": "w" * LONGEST for number in range(9)},
)


def test_it_is_sealed_with_the_result() -> None:
    result = replace(RESULT, provenance=FULL)
    seal = sealed(result)
    assert opened(seal.text, seal.sha256) == result
    assert seal.sha256 != sealed(RESULT).sha256


def test_a_seal_of_an_older_version_is_read() -> None:
    """It has no such part."""
    document = json.loads(sealed(RESULT).text)
    del document["provenance"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert opened(text, hashlib.sha256(text.encode()).hexdigest()) == RESULT


def test_it_takes_no_room_from_the_figures() -> None:
    """Of the largest report they still fit."""
    figures = dict.fromkeys(LONGEST_NAMES, -1.7976931348623157e308)
    largest = replace(RESULT, metrics=figures, figures={f"system/{name}": 1.0 for name in figures}, provenance=FULL)
    seal = sealed(largest)
    assert len(seal.text.encode()) <= MAX_SEAL_BYTES
    assert opened(seal.text, seal.sha256).provenance == FULL


def test_it_goes_before_a_figure_does() -> None:
    """A seal that cannot be made would keep a result from being recorded."""
    huge = replace(FULL, libraries={f"{number}": "9" * 1000 for number in range(300)})
    seal = sealed(replace(RESULT, provenance=huge))
    assert opened(seal.text, seal.sha256).metrics == RESULT.metrics
    assert (opened(seal.text, seal.sha256).provenance, len(seal.text) <= MAX_SEAL_BYTES) == (None, True)


def test_its_tags_are_few_short_and_below_one_prefix() -> None:
    """MLflow takes 100 in a request, names of 250 characters and values of 5,000."""
    tags = FULL.tags
    assert len(tags) <= 80
    assert all(name.startswith(PREFIX) and len(name) <= 250 and len(value) <= LONGEST for name, value in tags.items())
    assert len(recorded_tags(replace(RESULT, provenance=FULL))) <= 100
    assert Provenance().tags == {}
