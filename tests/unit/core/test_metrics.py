"""`metrics.json` as hostile input: whatever comes, it is a report of good entries or BadMetrics."""

from __future__ import annotations

import json
import math
import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.metric_names import NAME
from core.domain.metrics import MAX_BYTES, MAX_METRICS, MAX_PARAM_CHARS, MAX_PARAMS, BadMetrics, parse_metrics
from core.domain.platform_names import MEASURED
from core.domain.report_notes import MAX_NOTES, NOTE_CHARS
from core.domain.visible_text import visible
from tests.builders import metrics_json
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
REPORT = st.fixed_dictionaries(
    {"params": st.dictionaries(st.text(max_size=9), JSON, max_size=5), "metrics": st.dictionaries(st.text(), JSON)},
    optional={"performance": st.dictionaries(st.text("ab/. :-", max_size=6), JSON)},
)


def refusal(raw: bytes) -> str:
    with pytest.raises(BadMetrics) as caught:
        parse_metrics(raw)
    return str(caught.value)


def check_promises(raw: bytes) -> None:
    try:
        found = parse_metrics(raw)
    except BadMetrics as error:
        str(error).encode()
        return
    numbers = {**found.metrics, **found.performance}
    assert all(type(value) is float and math.isfinite(value) for value in numbers.values())
    assert all(NAME.fullmatch(name) and posixpath.normpath(name) == name for name in {*numbers, *found.params})
    assert not any(name.startswith("system/") for name in found.metrics)
    assert len(found.notes) <= MAX_NOTES + 1
    for text in (*found.params.values(), *found.notes):
        text.encode()
        assert len(text) <= max(MAX_PARAM_CHARS, NOTE_CHARS)
    assert all(visible(note) == note for note in found.notes)


def test_reads_params_metrics_and_performance() -> None:
    """Params become text as JSON writes it, numbers become floats, performance may be absent."""
    found = parse_metrics(
        metrics_json(
            params={"method": "padim", "epochs": 3, "lr": 0.5, "flip": True, "seed": None},
            metrics={"image_auc": 1, "loss": -2.5e-3, "a/b:c d-e.f": 0},
            performance={"inference_time_ms": 12},
        )
    )
    assert found.params == {"method": "padim", "epochs": "3", "lr": "0.5", "flip": "true", "seed": "null"}
    assert found.metrics == {"image_auc": 1.0, "loss": -0.0025, "a/b:c d-e.f": 0.0}
    assert found.performance == {"inference_time_ms": 12.0}
    assert parse_metrics(metrics_json()).performance == {}


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "not valid JSON"),
        (b'{"params": {}, "metr', "not valid JSON"),
        (b'{"params": {}, "metrics": {}} trailing', "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"{'params': {}, 'metrics': {}}", "write it with json.dump"),
        (b'{"params": {}, "metrics": {"a": \xff}}', "not UTF-8"),
    ],
    ids=["empty", "cut off", "trailing", "list", "null", "Python's quotes", "bad utf-8"],
)
def test_refuses_what_is_not_one_json_object(raw: bytes, word: str) -> None:
    """H51: missing parts, bad encodings and trailing bytes are BadMetrics with the rule's name."""
    assert word in refusal(raw)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_reads_what_windows_writes(encoding: str) -> None:
    """FLD-3: a byte order mark and UTF-16 lose no run."""
    assert parse_metrics(metrics_json().decode().encode(encoding)).metrics == {"image_auc": 0.9}


def test_refuses_more_than_a_mebibyte_before_reading_it() -> None:
    """H54: the size decides before the parser sees a byte; the limit itself still passes."""
    padding = MAX_BYTES - len(metrics_json())
    assert parse_metrics(metrics_json() + b" " * padding).metrics == {"image_auc": 0.9}
    assert "larger" in refusal(metrics_json() + b" " * (padding + 1))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000])
@pytest.mark.parametrize("place", ["metrics", "performance"])
def test_no_number_gets_in_that_is_not_finite(number: str, place: str) -> None:
    """H55: NaN, infinities, overflows and endless integers are left out, each with a note; the others count."""
    document = {"params": "{}", "metrics": "{}", "performance": "{}"} | {place: f'{{"a": {number}, "b": 1}}'}
    found = parse_metrics(("{" + ",".join(f'"{key}": {value}' for key, value in document.items()) + "}").encode())
    assert getattr(found, place) == {"b": 1.0}
    assert re.fullmatch(rf"{place}\['a'\] = .{{3,60}} was left out: it is not finite\. Write .*\.", found.notes[0])


@pytest.mark.slow
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("place", [b"params", b"metrics"])
def test_refuses_deep_nesting_whatever_its_depth(opening: bytes, place: bytes) -> None:
    """H56: no depth, from one level to 200,000, ends in anything but BadMetrics or a note."""
    closing = b"]" if opening == b"[" else b"}"
    for levels in (1, 2, 20, *range(880, 1010), 5000, 200_000):
        value = opening * levels + b"1" + closing * levels
        other = b"metrics" if place == b"params" else b"params"
        check_promises(b'{"%s": {}, "%s": {"a": %s}}' % (other, place, value))
        check_promises(b'{"params": {}, "metrics": {}, "performance": {"a": %s}}' % value)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"params": {}, "metrics": []}, "metrics must be a JSON object"),
        ({"params": {}}, "lacks the key 'metrics'"),
        ({"image_auc": 0.9}, "(it has 'image_auc'); write {"),
    ],
)
def test_refuses_a_file_without_an_object_of_metrics(document: dict[str, object], word: str) -> None:
    """FLD-3: then no entry counts, and the sentence shows what to write."""
    assert word in refusal(json.dumps(document).encode())


def test_refuses_a_repeated_part() -> None:
    """H58: no parser's choice decides which of two reports counts."""
    assert "repeats a key" in refusal(b'{"params": {}, "metrics": {}, "metrics": {"a": 1}}')


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.9375", ['"0.9375"', "float(x)"]),
        ("tensor(0.5000)", ['"tensor(0.5000)"', "float(x)"]),
        (None, ["null", "leave the name out"]),
        (True, ["true", "int(x)"]),
        ([0.5, 0.6], ["[0.5, 0.6]", "a list", "one number for each name"]),
        ({"mean": 0.5}, ['{"mean": 0.5}', "an object", "one number for each name"]),
        ("\x1b[2J\u202e" + "x" * 9999, ["\\u001b[2J‹U+202E›", "…"]),
    ],
)
@pytest.mark.parametrize("place", ["metrics", "performance"])
def test_one_bad_value_is_left_out_and_named(value: object, words: list[str], place: str) -> None:
    """FLD-3: the note has the value and what to write; all other entries count."""
    found = parse_metrics(metrics_json(**{place: {"bad": value, "good": 1}}))
    assert getattr(found, place) == {"good": 1.0}
    (note,) = found.notes
    assert all(word in note for word in [f"{place}['bad'] = ", "was left out", *words])
    assert len(note) < NOTE_CHARS


def test_a_report_of_bad_values_alone_is_a_report() -> None:
    """FLD-3: the run keeps its files and its params; the notes say what to write."""
    found = parse_metrics(metrics_json(metrics={"image_auc": "0.9", "pixel_auc": None}))
    assert (found.metrics, found.params, len(found.notes)) == ({}, {"method": "padim"}, 2)
    assert set(found.left_out) == {"image_auc", "pixel_auc"}


def test_a_name_with_two_values_has_none() -> None:
    """H58: neither counts, whether it is repeated or only looks the same; equal values are one."""
    found = parse_metrics(b'{"params": {}, "metrics": {"a": 1, "b": 2, "a": 3, "a": 1, "b": 2.0, " b ": 2}}')
    assert found.metrics == {"b": 2.0}
    assert "more than once" in found.notes[0]
    found = parse_metrics(metrics_json(metrics={"caf\u00e9": 1, "cafe\u0301": 2, "x": 3}))
    assert found.metrics == {"x": 3.0}


def test_what_is_too_many_is_cut_with_a_word() -> None:
    """H58: counts stay bounded."""
    metrics = {f"m{number}": number for number in range(MAX_METRICS + 37)}
    found = parse_metrics(metrics_json(metrics=metrics, params={f"p{n}": n for n in range(MAX_PARAMS + 1)}))
    assert (len(found.metrics), len(found.params)) == (MAX_METRICS, MAX_PARAMS)
    assert found.notes[0] == "metrics has more than 500 entries: the first 500 count, 37 were left out. Write fewer."
    assert "params has more than 100 entries" in found.notes[1]


def test_the_number_of_notes_is_bounded() -> None:
    """FLD-3: a thousand bad entries are no thousand sentences."""
    found = parse_metrics(metrics_json(metrics={f"m{number}": None for number in range(MAX_NOTES + 37)}))
    assert len(found.notes) == MAX_NOTES + 1
    assert found.notes[-1] == "… and 37 more."


def test_params_of_every_shape_are_kept_as_text() -> None:
    """FLD-3: lists and objects as JSON; what is too long is cut, with a note."""
    params = {"layers": ["layer2", "layer3"], "opt": {"名": [1, None]}, "long": "x" * 501, "nul": "a\x00b"}
    found = parse_metrics(metrics_json(params=params))
    assert found.params["layers"] == '["layer2", "layer3"]'
    assert found.params["opt"] == '{"名": [1, null]}'
    assert found.params["nul"] == "a‹U+0000›b"
    assert len(found.params["long"]) == MAX_PARAM_CHARS
    assert found.notes == ("params['long'] has 501 characters and was cut to 500.",)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"extra": 1, "config\n": 2}, "metrics.json: 'extra', 'config‹U+000A›' ignored; known keys are"),
        ({"params": []}, "params in metrics.json is not a JSON object"),
        ({"performance": 3}, "performance in metrics.json is not a JSON object"),
        ({"performance": {"wall_seconds": 3}}, "performance: 'wall_seconds' left out; the platform measures this"),
    ],
)
def test_other_parts_lose_no_metric(changes: dict[str, object], note: str) -> None:
    """FLD-3: what is odd beside the metrics is told, and they count."""
    found = parse_metrics(metrics_json(**changes))
    assert found.metrics == {"image_auc": 0.9}
    assert found.notes[0].startswith(note)
    assert "has no params" in parse_metrics(b'{"metrics": {"a": 1}}').notes[0]


def test_makes_half_a_surrogate_harmless() -> None:
    """Text that cannot be encoded is replaced, so that nothing after us breaks on it."""
    assert parse_metrics(metrics_json(params={"a": "x\ud800y"})).params == {"a": "x?y"}


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_report_or_refused(raw: bytes) -> None:
    """No bytes at all raise anything but BadMetrics."""
    check_promises(raw)


@pytest.mark.slow
@given(JSON | REPORT)
def test_arbitrary_json_is_a_report_or_refused(document: object) -> None:
    """Whatever JSON passes is finite and well named."""
    check_promises(json.dumps(document).encode())
    check_promises(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def test_everything_that_the_platform_records_is_among_its_names() -> None:
    """A figure that is measured tomorrow is to be added to the list."""
    source = "\n".join(path.read_text() for path in (REPOSITORY / "runner").rglob("*.py"))
    taken = set(re.findall(r'_take\("(\w+)"', source)) | set(re.findall(r'peaks=\{\*\*[^}]*?"(\w+)":', source))
    assert {"memory_bytes", "gpu_memory_bytes", "wall_seconds"} <= taken <= MEASURED
