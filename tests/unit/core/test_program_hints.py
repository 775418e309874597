"""Hints on how a program is started and what it is given (FLD-5)."""

from __future__ import annotations

import pytest

from core.domain.hints import hint
from core.domain.limits import SMALL
from core.domain.program_hints import MISSING_PATH, PROGRAM_HINTS
from core.domain.verdict import FailureReason, RunRecord, Stop, judge

pytestmark = pytest.mark.unit

SPAWN = """
RuntimeError:
        An attempt has been made to start a new process before the
        current process has finished its bootstrapping phase.

        This probably means that you are not using fork to start your
        child processes and you have forgotten to use the proper idiom
        in the main module:

            if __name__ == '__main__':
                freeze_support()
"""
RELATIVE = """
  File "/job/main.py", line 3, in <module>
    {}
ImportError: attempted relative import with no known parent package
"""
MARKED = """
  File "/job/src/train.py", line 3, in <module>
    from ..utils.io import load, save
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ImportError: attempted relative import beyond top-level package
"""
WORDS = {
    SPAWN: "below if __name__ == '__main__':",
    SPAWN
    + "RuntimeError: DataLoader worker (pid(s) 7) exited unexpectedly, /dev/shm": "below if __name__ == '__main__':",
    "RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with": "by 'spawn'",
    "AttributeError: Can't get local object 'main.<locals>.f'": "use no lambda",
    "_pickle.PicklingError: Can't pickle <function <lambda> at 0x7f>: attribute lookup": "use no lambda",
    RELATIVE.format("from .utils import X"): "write 'from utils import X' instead of 'from .utils import X'",
    RELATIVE.format("from . import utils"): "write 'import utils' instead of 'from . import utils'",
    RELATIVE.format("from .utils import (  # the rest"): "write 'from utils import X'",
    MARKED: "write 'from utils.io import load' instead of",
    "NameError: name 'get_ipython' is not defined": "This was a notebook",
    "    !pip install anomalib\n    ^\nSyntaxError: invalid syntax": "This was a notebook",
    "    %matplotlib inline\n    ^\nSyntaxError: invalid syntax": "This was a notebook",
    "ModuleNotFoundError: No module named 'google.colab'": "This was a notebook",
    "ERROR: No matching distribution found for anomalib": "name them in requirements.txt",
    "main.py: error: unrecognized arguments: --output /out": "take both, and require no others",
    "main.py: error: the following arguments are required: --category": "take both, and require no others",
    "Error: No such option: --config": "take both, and require no others",
    "EOFError: EOF when reading a line": "Nobody answers",
    "RuntimeError: Found no NVIDIA driver on your system. Please check": "has no GPU",
    "on a CUDA device but torch.cuda.is_available() is False. If you are running": "has no GPU",
    "cv2.error: OpenCV(4.9.0) error: (-2) The function is not implemented. Rebuild the library with": "screen",
    "_tkinter.TclError: no display name and no $DISPLAY environment variable": "screen",
}
OWN = [
    "ValueError: from .utils import X",
    "usage: main.py [-h]\n",
    "print('!pip')\nSyntaxError: invalid syntax",
    "100 % of it\n     ^\nSyntaxError: invalid syntax",
    "FileNotFoundError: [Errno 2] No such file or directory: 'weights.pt'",
]


@pytest.mark.parametrize("text", WORDS)
def test_the_sentence_says_what_to_write(text: str) -> None:
    found = hint(f"Traceback (most recent call last):\n{text}\n")
    assert found is not None
    assert WORDS[text] in found
    assert len(found) < 300


@pytest.mark.parametrize("text", OWN)
def test_a_mistake_of_another_kind_has_none(text: str) -> None:
    assert hint(text) is None


def test_every_kind_is_tried_here() -> None:
    """But the last, which is among the walls' tests."""
    tried = [text for text in WORDS for known in PROGRAM_HINTS if known.sign.search(text)]
    assert all(any(known.sign.search(text) for text in tried) for known in PROGRAM_HINTS)


def test_repeated_beginnings_take_no_time() -> None:
    """Each pattern is bounded: the end of a hostile log is looked at as quickly as another."""
    for text in ("    from ." * 10**4, "    from .a import b\n" * 10**4, "FileNotFoundError: " * 10**4, "!a\n" * 10**4):
        assert hint(text) is None


def record(**changes: object) -> RunRecord:
    given = {"exit_code": 143, "out_of_memory": False, "wall_seconds": 1.0, "metrics": None} | changes
    return RunRecord(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stopped", "reason"), [(Stop.TIMEOUT, FailureReason.TIMEOUT), (Stop.LOG_LIMIT, FailureReason.LOG_LIMIT)]
)
def test_a_run_that_was_stopped_has_a_hint_too(stopped: Stop, reason: FailureReason) -> None:
    """Field case 37: a pool starts its processes again and again, until the time or the log is full."""
    verdict = judge(record(stopped=stopped, last_words=SPAWN), SMALL)
    assert verdict.reason is reason
    assert "Hint: The program starts processes" in verdict.message


def test_a_missing_path_comes_last() -> None:
    """What should have filled the folder failed before."""
    assert MISSING_PATH.sentence not in [known.sentence for known in PROGRAM_HINTS]
    text = "Network is unreachable\nFileNotFoundError: [Errno 2] No such file or directory: './data/a'"
    assert "no network" in str(hint(text))
