"""A benchmark.yaml is read with every fault at once, each with its line and what to write (FLD-9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.files.benchmark_yaml import read_yaml

pytestmark = pytest.mark.unit

GOOD = """name: surfaces
title: Surfaces
categories: [weave, metal nut]
primary_metric: image_auc
metrics:
  - {name: image_auc, minimum: 0, maximum: 1}
"""


def findings(tmp_path: Path, text: str | bytes) -> list[tuple[int | None, str]]:
    path = tmp_path / "surfaces" / "benchmark.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [(one.line, one.rule) for one in read_yaml(path).findings]


def test_a_good_file_has_no_finding(tmp_path: Path) -> None:
    """Blanks in a category are none: anomalib takes them."""
    assert findings(tmp_path, GOOD) == []
    assert findings(tmp_path, GOOD.encode("utf-8-sig")) == []


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("image_auc\nmetrics", "pixel_auc\nlog_policy: hidden\nscoring: trusted\nmetrics")
    text = text.replace("title: Surfaces\n", "").replace("maximum: 1}", "maximun: 1, direction: up}")
    found = findings(tmp_path, text)
    assert [line for line, _rule in found] == [4, 5, None, 7, 7]
    told = "\n".join(rule for _line, rule in found)
    for words in ("'log_policy' is not known", "Write scoring: verified", "title: is missing", "maximun: is not known",
                  "metrics.0.direction: Input should be 'maximize' or 'minimize'"):  # fmt: skip
        assert words in told


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("weave", "ネジ", 3, "'ネジ' is no name that anomalib takes"),
        ("weave", "a/b", 3, "Rename the folder with letters"),
        ("weave", "' x'", 3, "is no name that anomalib takes"),
        ("weave", "metal nut", None, "'metal nut' is there twice"),
        ("name: surfaces", "name: Surfaces", 1, "must begin with a small letter"),
        ("name: surfaces", "name: other", 1, "its name 'other' differs from its folder's, 'surfaces'"),
        ("title: Surfaces", "title: Surfaces\ntitle: again", 3, "title: is there twice"),
        ("primary_metric: image_auc", "primary_metric: x", None, "'x' is not among the metrics"),
        ("title: Surfaces", "title: [a", 3, "is no YAML"),
        ("title: Surfaces", "\ttitle: a", 2, "is no YAML"),
        ("title: Surfaces", "title: a\ndata: ../other", 3, "must be the name of a folder beside this file"),
    ],
)
def test_a_fault_has_its_line_and_what_to_do(tmp_path: Path, old: str, new: str, line: int | None, words: str) -> None:
    found = findings(tmp_path, GOOD.replace(old, new, 1))
    assert any(words in rule for _line, rule in found), found
    assert line in [at for at, rule in found if words in rule]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("名前: ネジ".encode("cp932"), "save it as UTF-8"),
        (b"", "it must be a mapping"),
        (b"[" * 3000, "nested"),
        (b"a: " + b"x" * 300_000, "larger than"),
        (b"a: &a [*a, *a]", "'a' is not known"),
        (b"x: &x [1]\nscoring: &y [*x, *x]\nimage: [*y, *y]", "a list is not supported"),
        (b"? [a]\n: b", "is no YAML"),
    ],
)
def test_what_is_no_such_file_is_said_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    assert any(words in rule for _line, rule in findings(tmp_path, content))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert read_yaml(tmp_path / "benchmark.yaml").findings[0].rule == "is not there; write one (docs/benchmarks.md)"
