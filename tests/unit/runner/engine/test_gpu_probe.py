"""What nvidia-smi says of an engine's devices."""

from __future__ import annotations

import pytest

from runner.engine.gpu_probe import read

pytestmark = pytest.mark.unit


def test_the_answer_of_nvidia_smi_is_read() -> None:
    """One line for each device; one that does not tell its memory counts as unused."""
    assert read("GPU-a, 3\nGPU-b, [N/A]\nwarning\n") == {"GPU-a": 3 * 1024**2, "GPU-b": 0}
