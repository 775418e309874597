"""What a submission asks for under `weights`, at upload (FLD-6)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from core.adapters.files.config_weights import asked_in_config
from core.domain.errors import InvalidInput, Unavailable
from core.domain.submission import Submission
from core.domain.weights import Weights, WeightsKind
from core.usecases.create_submission import CreateSubmission
from core.usecases.look_at_files import LookAtFiles
from core.usecases.requirements_check import RequirementsCheck
from core.usecases.weights_check import WeightsCheck
from tests.builders import MAIN, upload
from tests.twins.weights import MemoryWeights
from tests.unit.core.usecase_site import Site

pytestmark = pytest.mark.unit

HELD = Weights(
    name="timm/r18.a1_in1k", kind=WeightsKind.HUGGINGFACE, path="hub/models--timm--r18.a1_in1k", size_bytes=1
)


def uploaded(site: Site, config: bytes = b"", metadata: object = None, held: Sequence[Weights] = (HELD,)) -> Submission:
    look = LookAtFiles(
        requirements=RequirementsCheck(runners=site.ports.runners, resource_classes=[]),
        weights=WeightsCheck(weights=MemoryWeights(held=list(held)), asked_in_config=asked_in_config),
    )
    create = CreateSubmission(storage=site.ports.storage, look_inside=look)
    text = json.dumps({} if metadata is None else {"weights": metadata})
    return create(upload({"main.py": MAIN, "config.yaml": config, "own.yaml": b"x"}, metadata=text))


def rules_of(site: Site, config: bytes = b"", metadata: object = None, held: Sequence[Weights] = (HELD,)) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        uploaded(site, config, metadata, held)
    return [f"{fault.field}: {fault.rule}" for fault in caught.value.faults]


@pytest.mark.parametrize(
    "names", [["timm/r18.a1_in1k"], ["r18", "tf_efficientnet_lite0"], ["own.yaml"], ["./own.yaml"], []]
)
def test_what_is_there_is_accepted_without_a_word(site: Site, names: list[str]) -> None:
    """The site's, the image's, and the submission's own files."""
    config = f"weights: {json.dumps(names)}\n".encode()
    assert uploaded(site, config, names).notes == ()


def test_what_is_missing_is_told_with_what_there_is_and_who_to_ask(site: Site) -> None:
    (rule,) = rules_of(site, b"seed: 7\nweights:\n  - timm/r18.a1_in1k\n  - wide_resnet50_2\n")
    assert rule.startswith("config_file: weights in 'config.yaml' asks for 'wide_resnet50_2', which this site does not")
    assert "It has timm/r18.a1_in1k; the sandbox image has tf_efficientnet_lite0. Ask its admin to add" in rule
    (rule,) = rules_of(site, metadata=["x"], held=())
    assert rule.startswith("metadata: weights asks for 'x'")
    assert "It has none of its own yet" in rule


def test_odd_names_and_missing_ones_are_told_at_once(site: Site) -> None:
    """FLD-2, in both places."""
    rules = rules_of(site, b"weights: [x, ../y]\n", ["z", "../v"])
    assert [rule.partition(":")[0] for rule in rules] == ["metadata", "metadata", "config_file", "config_file"]
    assert [next(name for name in ("'../v'", "'z'", "'../y'", "'x'") if name in rule) for rule in rules] == [
        "'../v'", "'z'", "'../y'", "'x'",
    ]  # fmt: skip


def test_a_long_list_is_cut(site: Site) -> None:
    held = [Weights(name=f"w{n}", kind=WeightsKind.PLAIN, path=f"w{n}", size_bytes=1) for n in range(500)]
    (rule,) = rules_of(site, metadata=[f"x{n}" for n in range(50)], held=held)
    assert "and 40 more" in rule
    assert "and 490 more (`GET /weights` lists all)" in rule
    assert len(rule) < 1000


@pytest.mark.parametrize(("value", "told"), [
    ("r18", "must be a list of names"), (3, "must be a list"), ({"a": 1}, "must be a list"), (True, "must be a list"),
    (None, ""), (["r18", 3], "item 2 is no text"), ([None], "item 1 is no text"), ([["r18"]], "item 1 is no text"),
    (["../../etc/passwd"], "no name of weights"), (["/etc/passwd"], "no name of weights"), ([""], "no name of weights"),
    (["a\u0007b"], "no name of weights"), (["a\u202eb"], "'a\\u202eb', which is no name"), (["x" * 300], "no name of"),
    (["a/b/c"], "no name of weights"), (["x"] * 51, "more than 50 names"), (["https://x.org/w.pth"], "no name of"),
])  # fmt: skip
def test_hostile_values_are_refused_in_words(site: Site, value: object, told: str) -> None:
    if value is None:
        assert uploaded(site).notes == ()
        return
    (rule,) = rules_of(site, metadata=value)
    assert rule.startswith("metadata: weights ")
    assert told in rule
    assert rule.isprintable()
    assert len(rule) < 600


@pytest.mark.parametrize("text", [
    "weights: 0.5", "weights: [0.1, 0.9]", "weights: {loss: 1}", "weights:", "loss: {weights: [x]}", "- weights",
    "weights: [a", "weights: [!x y]", "\tweights: [x]", "%", "a: &l [x]\nweights: *l",
])  # fmt: skip
def test_a_config_of_another_meaning_is_the_programs_own_affair(site: Site, text: str) -> None:
    assert uploaded(site, text.encode()).notes == ()


def test_a_single_name_in_a_config_gets_a_note(site: Site) -> None:
    (note,) = uploaded(site, b"weights: imagenet\n").notes
    assert "weights in 'config.yaml' is 'imagenet' and no list" in note
    assert "write weights: [NAME]" in note


@pytest.mark.parametrize("config", [
    b'{"weights": ["x"]}', b"\xef\xbb\xbfweights: [x]", "weights: [x]".encode("utf-16"), b"weights: [!!str x]",
    b"? [k]\n: v\nweights: [x]", b"a: {b: [c]}\nweights: ['x', 3]", b"weights: [r18]\nweights: [x]",
])  # fmt: skip
def test_a_list_is_found_however_it_is_written(site: Site, config: bytes) -> None:
    assert rules_of(site, config)


@pytest.mark.parametrize(
    "bomb", ["[" * 250_000, "{" * 250_000, "\n" + " -" * 120_000, "[" + "&a x, *a, " * 20_000 + "]"]
)
def test_a_config_made_to_be_slow_is_given_up(bomb: str) -> None:
    """Of 250,000 brackets PyYAML alone reads for minutes; here depth is bounded, and aliases are not followed."""
    began = time.process_time()
    asked_in_config(f"weights: {bomb}".encode())
    assert time.process_time() - began < 10


def test_a_large_config_is_not_read(site: Site) -> None:
    assert uploaded(site, b"weights: [x]\n" + b"# \n" * 100_000).notes == ()


def test_where_the_folder_cannot_be_read_the_run_finds_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: object) -> None:
        raise Unavailable("The folder of weights")

    monkeypatch.setattr(MemoryWeights, "list_weights", away)
    assert uploaded(site, metadata=["x"]).notes == ()
