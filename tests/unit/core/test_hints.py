"""Hints from the last lines of a failed run (FLD-5): the wall that was met, beside the reason."""

from __future__ import annotations

import pytest

from core.domain.anomalib_hints import ANOMALIB_HINTS
from core.domain.hints import HINTS, TAIL_CHARACTERS, hint
from core.domain.limits import SMALL
from core.domain.program_hints import PROGRAM_HINTS
from core.domain.verdict import FailureReason, RunRecord, judge

pytestmark = pytest.mark.unit

WORDS = {
    "OSError: [Errno 30] Read-only file system: '/data/cache'": "/job, /out and /tmp",
    "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>": "no network",
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded": "no network",
    "socket.gaierror: [Errno -2] Name or service not known": "no network",
    "OSError: [Errno 101] Network is unreachable": "no network",
    "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files in the disk cache": "weights",
    "If repo_type is 'model', make sure your Internet connection is on.": "use those in /weights",
    'Downloading: "https://download.pytorch.org/models/resnet18.pth" to /tmp/torch': "weights",
    'Downloading: "https://github.com/facebookresearch/dinov2/zipball/main" to /tmp/torch/hub/main.zip': "/weights",
    "urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>": "/weights",
    "ModuleNotFoundError: No module named 'openvino'": "no module 'openvino'",
    "ModuleNotFoundError: No module named 'src.model'; 'src' is not a package": "no 'src.model' in it",
    "ImportError: open_clip is required for VLM models. Install it with: 'pip install x'": "lacks the package",
    "ModuleNotFoundError: Neither `tensorboard` nor `tensorboardX` is here. Try `pip install`": "lacks the package",
    "PermissionError: [Errno 13] Permission denied: '/opt/venv/x'": "/job, /out and /tmp",
    "FileNotFoundError: [Errno 2] No such file or directory: './datasets/MVTecAD/bottle'": "data is in /data",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.": "GPU's memory",
    "RuntimeError: DataLoader worker (pid 42) is killed by signal: Bus error. It is possible that": "/dev/shm",
    "OSError: [Errno 28] No space left on device: '/out/maps/1.png'": "/out was full",
    "OSError: [Errno 28] No space left on device: 'big.bin'": "A folder was full",
}


@pytest.mark.parametrize("line", WORDS)
def test_a_wall_is_named(line: str) -> None:
    """Each sentence says what the wall is, or what to do."""
    found = hint(f"Traceback (most recent call last):\n  ...\n{line}\n")
    assert found is not None
    assert WORDS[line] in found


@pytest.mark.parametrize("text", ["", "ValueError: 7", "epoch 3\n", "No module named ''", "KeyError: 'network'"])
def test_an_error_of_the_programs_own_has_no_hint(text: str) -> None:
    assert hint(text) is None


def test_only_the_end_of_the_output_is_looked_at() -> None:
    """What a program has overcome is not what ended it."""
    assert hint("Read-only file system\n" + "x" * TAIL_CHARACTERS) is None


def test_a_hostile_text_takes_no_time_and_brings_nothing_into_the_sentence() -> None:
    """Markup, control characters and long names stay out; no pattern runs away on repeated beginnings."""
    name = "No module named 'a<script>\x1b[31m'"
    assert hint(name) is None or "<" not in str(hint(name))
    for text in ("unable to mmap " + "1" * 10**6, "No space left on device" * 10**5, "No module named '" * 10**5):
        hint(text)
    assert all(len(str(hint(line))) < 300 for line in WORDS)


def record(**changes: object) -> RunRecord:
    given = {"exit_code": 1, "out_of_memory": False, "wall_seconds": 1.0, "metrics": None} | changes
    return RunRecord(**given)  # type: ignore[arg-type]


def test_a_hint_stands_beside_the_reason() -> None:
    """The reason stays `exit`, and its sentence stays, too."""
    verdict = judge(record(last_words="No module named 'wandb'"), SMALL)
    assert verdict.reason is FailureReason.EXIT
    assert verdict.message.startswith(
        "The program ended with exit code 1. The end of the log says more. Hint: The sandbox"
    )
    plain = judge(record(last_words="ValueError: 7"), SMALL)
    assert plain.message == "The program ended with exit code 1. The end of the log says more."


def test_a_run_without_metrics_has_a_hint_too() -> None:
    """A program that swallows its errors ends with 0."""
    verdict = judge(record(exit_code=0, last_words="[Errno 30] Read-only file system: '/data/x'"), SMALL)
    assert verdict.reason is FailureReason.NO_METRICS
    assert "Hint: " in verdict.message


def test_a_good_run_has_none() -> None:
    good = record(exit_code=0, metrics=b'{"params": {}, "metrics": {"image_auc": 0.5}}', last_words="Bus error")
    assert judge(good, SMALL).message == ""


def test_every_hint_is_tried_here() -> None:
    """A new one needs a line above; programs' mistakes have theirs in test_program_hints, test_anomalib_hints."""
    walls = set(HINTS) - {*PROGRAM_HINTS, *ANOMALIB_HINTS}
    assert {next(known for known in HINTS if known.sign.search(line)) for line in WORDS} == walls
