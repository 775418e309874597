"""Names of metrics and params: as MLflow takes them, letters of any script, and none of the platform's own."""

from __future__ import annotations

import unicodedata

import pytest

from core.domain.metric_names import NAME_BYTES
from core.domain.metrics import parse_metrics
from core.domain.platform_names import imitates
from tests.builders import metrics_json

pytestmark = pytest.mark.unit

PATH_LIKE = ["", "/a", "a/", "a//b", "../a", "a/../b", "a..b", "a/./b", "a/.", "a\\b"]
BAD_NAMES = [
    *PATH_LIKE, "-a", "a\x00b", "a\nb", "a" * (NAME_BYTES + 1), "精" * 67, "\ud800", "a'b", 'a"b', "<b>", "a\u200bb",
    "\u3164", "a\ufe0f",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("place", ["params", "metrics", "performance"])
def test_names_that_the_tracking_server_would_not_take_are_left_out(name: str, place: str) -> None:
    """H58: such a name would hold the result back for ever; the note has the rule, and the other entries count."""
    found = parse_metrics(metrics_json(**{place: {name: 1, "good": 2}}))
    assert list(getattr(found, place)) == ["good"]
    assert "was left out: names hold letters and digits of any script" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("timing(s)/fit", "'timing_s_/fit'"),
        ("val/AR@100", "'val/AR_100'"),
        ("acc %", "'acc _'"),
        ("loss=1", "'loss_1'"),
    ],
)
def test_a_name_that_would_do_is_proposed(name: str, instead: str) -> None:
    """Field case 27: the rule, and what to call it."""
    found = parse_metrics(metrics_json(metrics={name: 1, "image_auc": 0.9}))
    assert found.metrics == {"image_auc": 0.9}
    assert f"Call it {instead}." in found.notes[0]


@pytest.mark.parametrize("name", ["精度", "Präzision", "точность", "é/ñ", "a" * NAME_BYTES, ".a", "AR at 100", "x:y-z"])
def test_letters_of_any_script_are_letters(name: str) -> None:
    """FLD-3: as MLflow takes them; stored in composed form, without blanks at the ends."""
    written = f" {unicodedata.normalize('NFD', name)} "
    assert list(parse_metrics(metrics_json(metrics={written: 1})).metrics) == [unicodedata.normalize("NFC", name)]


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
    """TRK-2: left out with the reason; the other metrics count."""
    found = parse_metrics(metrics_json(metrics={name: 1, "image_auc": 0.5}))
    assert found.metrics == {"image_auc": 0.5}
    assert "names that begin with 'system/'" in found.notes[0]


@pytest.mark.parametrize("name", ["config/lr", "Config/lr", "config/"])
def test_params_below_config_are_the_platforms_own(name: str) -> None:
    """They say what the config file and the overrides hold, whatever a program reports."""
    report = parse_metrics(metrics_json(params={name: 1, "configs/lr": 2, "config": 3}))
    assert dict(report.params) == {"configs/lr": "2", "config": "3"}
    assert any("params" in note and "config/" in note.lower() for note in report.notes)
