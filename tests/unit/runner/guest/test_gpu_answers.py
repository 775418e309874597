"""Whose word about devices is passed on: the driver's library only where it agrees with nvidia-smi."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from runner.guest import gpu_answers
from runner.guest.gpu_answers import agree, used

pytestmark = pytest.mark.unit

SMI = "GPU-a, 30\nGPU-b, [N/A]\n"


class Library:
    """Answers as the driver's would."""

    def __init__(self, answers: list[str | OSError]) -> None:
        self.answers = answers

    def rows(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer


def answers(monkeypatch: pytest.MonkeyPatch, library: Library | None, smi: str = SMI) -> list[dict[str, Any]]:
    """What is answered to two requests."""

    def opened() -> Library:
        if library is None:
            raise OSError("libnvidia-ml.so.1: cannot open shared object file")
        return library

    monkeypatch.setattr(gpu_answers, "Nvml", opened)
    monkeypatch.setattr(gpu_answers, "by_smi", lambda: smi)
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2\n"))
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    gpu_answers.main()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_answer_repeats_the_number_of_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answers(monkeypatch, None)
    assert [(one["request"], one["by"], one["rows"]) for one in found] == [
        ("1", "nvidia-smi", SMI), ("2", "nvidia-smi", SMI),
    ]  # fmt: skip


def test_the_library_is_trusted_once_it_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later answers are its own; when it fails, such as for a device that is lost, nvidia-smi is asked."""
    found = answers(monkeypatch, Library(["GPU-a, 3\nGPU-b, [N/A]\n", "GPU-a, 900\n", OSError("lost: 15")]))
    assert [(one["by"], one["rows"]) for one in found] == [("nvml", "GPU-a, 900\n"), ("nvml", SMI)]


@pytest.mark.parametrize("first", ["GPU-a, 3000\nGPU-b, [N/A]\n", "GPU-a, 30\n", "", OSError("nvmlInit_v2: 9")])
def test_a_library_that_says_otherwise_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, first: str | OSError
) -> None:
    assert {one["rows"] for one in answers(monkeypatch, Library([first]))} == {SMI}


def test_where_nothing_is_listed_nothing_agrees() -> None:
    """An engine without devices, or without nvidia-smi, has none, whatever a library says."""
    assert not agree({}, {})
    assert not agree(used("GPU-a, 3\n"), used(""))
    assert agree(used("GPU-a, 3\n"), used("GPU-a, 258\n"))


def test_an_image_without_nvidia_smi_lists_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_command: object, **_options: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    assert gpu_answers.by_smi() == ""
