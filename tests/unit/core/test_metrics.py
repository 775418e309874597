"""`metrics.json` as hostile input: whatever comes, it is a good report or BadMetrics."""

from __future__ import annotations

import json
import math
import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.metrics import MAX_BYTES, MAX_METRICS, MAX_PARAMS, NAME, BadMetrics, parse_metrics
from core.domain.platform_names import MEASURED, imitates
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

PATH_LIKE = ["", "/a", "a/", "a//b", "../a", "a/../b", "a..b", "a/./b", "a/.", ".a", "a\\b"]
BAD_NAMES = [*PATH_LIKE, " a", "-a", "é", "a\x00b", "a\nb", "a\n", "a" * 201, "a" * 1000, "\ud800", "a'b", 'a"b', "<b>"]


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
    for text in found.params.values():
        text.encode()


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
        ('{"params": {}, "metrics": {}}'.encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf" + b'{"params": {}, "metrics": {}}', "not valid JSON"),
        (b'{"params": {}, "metrics": {"a": \xff}}', "not UTF-8"),
    ],
    ids=["empty", "cut off", "trailing", "list", "null", "utf-16", "bom", "bad utf-8"],
)
def test_refuses_what_is_not_one_json_object(raw: bytes, word: str) -> None:
    """H51: missing parts, other encodings and trailing bytes are BadMetrics with the rule's name."""
    assert word in refusal(raw)


def test_refuses_more_than_a_mebibyte_before_reading_it() -> None:
    """H54: the size decides before the parser sees a byte; the limit itself still passes."""
    padding = MAX_BYTES - len(metrics_json())
    assert parse_metrics(metrics_json() + b" " * padding).metrics == {"image_auc": 0.9}
    assert "larger" in refusal(metrics_json() + b" " * (padding + 1))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000])
@pytest.mark.parametrize("place", ["params", "metrics", "performance"])
def test_refuses_numbers_that_are_not_finite(number: str, place: str) -> None:
    """H55: no NaN, infinity, overflow or endless integer gets in, wherever it stands."""
    document = {"params": "{}", "metrics": "{}", "performance": "{}"} | {place: f'{{"a": {number}}}'}
    raw = "{" + ",".join(f'"{key}": {value}' for key, value in document.items()) + "}"
    if place == "params" and number == "9" * 400:
        assert parse_metrics(raw.encode()).params == {"a": number}
    else:
        assert refusal(raw.encode())


@pytest.mark.slow
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("place", [b"params", b"metrics"])
def test_refuses_deep_nesting_whatever_its_depth(opening: bytes, place: bytes) -> None:
    """H56: no depth, from one level to 200,000, ends in anything but BadMetrics."""
    closing = b"]" if opening == b"[" else b"}"
    for levels in (1, 2, 20, *range(880, 1010), 5000, 200_000):
        value = opening * levels + b"1" + closing * levels
        refusal(b'{"params": {}, "metrics": {}, "%s": {"a": %s}}' % (b"performance", value)[:MAX_BYTES])
        other = b"metrics" if place == b"params" else b"params"
        refusal(b'{"%s": {}, "%s": {"a": %s}}' % (other, place, value))


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"params": {}, "metrics": {f"m{n}": n for n in range(MAX_METRICS + 1)}}, "more than 500"),
        ({"params": {f"p{n}": n for n in range(MAX_PARAMS + 1)}, "metrics": {}}, "more than 100"),
        ({"params": {"a": "x" * 501}, "metrics": {}}, "up to 500"),
        ({"params": {"a": []}, "metrics": {}}, "must be text"),
        ({"params": {"a": {}}, "metrics": {}}, "must be text"),
        ({"params": [], "metrics": {}}, "params must be a JSON object"),
        ({"params": {}, "metrics": []}, "metrics must be a JSON object"),
        ({"params": {}, "metrics": {}, "performance": 3}, "performance must be a JSON object"),
        ({"params": {}, "metrics": {"a": True}}, "not a number"),
        ({"params": {}, "metrics": {"a": "0.9"}}, "not a number"),
        ({"params": {}, "metrics": {"a": None}}, "not a number"),
        ({"params": {}, "metrics": {"a": [1]}}, "not a number"),
        ({"params": {}, "metrics": {"system/wall_seconds": 1}}, "platform's own"),
        ({"params": {}, "metrics": {}, "extra": 1}, "unknown key"),
        ({"params": {}}, "lacks the key 'metrics'"),
        ({"metrics": {}}, "lacks the key 'params'"),
    ],
)
def test_refuses_what_breaks_the_schema(document: dict[str, object], word: str) -> None:
    """H58: counts, types and keys are bounded, and the sentence says which rule broke."""
    assert word in refusal(json.dumps(document).encode())


def test_refuses_a_repeated_key() -> None:
    """H58: no parser's choice decides which of two numbers counts."""
    assert "repeats a key" in refusal(b'{"params": {}, "metrics": {"a": 1, "a": 2}}')
    assert "repeats a key" in refusal(b'{"params": {}, "metrics": {}, "metrics": {"a": 1}}')


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("place", ["params", "metrics", "performance"])
def test_refuses_names_that_the_tracking_server_would_not_take(name: str, place: str) -> None:
    """H58: a name that MLflow refuses would hold the result back for ever, so it is refused here, in words."""
    assert "has the name" in refusal(metrics_json(**{place: {name: 1}}))


def test_takes_the_longest_name() -> None:
    """200 characters are within the rule."""
    assert "a" * 200 in parse_metrics(metrics_json(metrics={"a" * 200: 1})).metrics


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


@pytest.mark.parametrize(
    "name",
    [
        "wall_seconds", "gpu_memory_bytes", "Wall Seconds", "wall-seconds", "memory.bytes", "memory_byte",
        "WALL_SECOND", "wall_seconds/x", "x/wall_seconds", "run:cpu_seconds", "wall_seconds.max", "wall_seconds total",
        "system/memory_bytes", "system/x", "System/x", "sys-tem/x", "mem0ry_bytes", "pid",
    ],
)  # fmt: skip
def test_performance_has_no_name_of_the_platforms_own(name: str) -> None:
    """TRK-2: also where the platform could not measure, and where the name only looks the same."""
    found = parse_metrics(metrics_json(performance={name: 1, "inference_time_ms": 2}))
    assert found.own_performance == {"inference_time_ms": 2.0}


@pytest.mark.parametrize(
    "name",
    ["w\u0430ll_seconds", "memory_byt\u0435s", "ＣＰＵ_seconds", "pi\u0301ds", "wall\u200b_seconds", "\u0405ystem/x"],
)
def test_letters_that_look_alike_make_no_other_name(name: str) -> None:
    """Cyrillic and full-width letters, accents, signs without a width."""
    assert imitates(name)


@pytest.mark.parametrize(
    "name",
    [
        "training_time_seconds", "peak_gpu_memory_mb", "inference_time_ms", "vram_mb", "cpu_seconds_per_image",
        "memory", "system", "systematic/error", "推論時間",
    ],
)  # fmt: skip
def test_other_figures_keep_their_names(name: str) -> None:
    """TRK-2's own names among them."""
    assert not imitates(name)


@pytest.mark.parametrize("name", ["system/x", "System/image_auc", "SYSTEM/x", "sys_tem/x"])
def test_no_metric_is_below_what_is_the_platforms(name: str) -> None:
    assert "names that begin with 'system/'" in refusal(metrics_json(metrics={name: 1}))


def test_everything_that_the_platform_records_is_among_its_names() -> None:
    """A figure that is measured tomorrow is to be added to the list."""
    source = "\n".join(path.read_text() for path in (REPOSITORY / "runner").rglob("*.py"))
    taken = set(re.findall(r'_take\("(\w+)"', source)) | set(re.findall(r'peaks=\{\*\*[^}]*?"(\w+)":', source))
    assert {"memory_bytes", "gpu_memory_bytes", "wall_seconds"} <= taken <= MEASURED
