"""Looks at the device that it was given and computes on it; prints one JSON line per finding (BOX-5, BOX-12).

Runs as a submission would; its findings are judged outside. torch is used if the image has it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from typing import Any

NODE = re.compile(r"nvidia\d+")
SIZE = 512
NEAR = 1e-3


def tell(check: str, found: Any) -> None:
    print(json.dumps({"check": check, "found": found}), flush=True)


def nodes() -> list[str]:
    return sorted(name for name in os.listdir("/dev") if NODE.fullmatch(name))


def listed() -> list[str] | str:
    """The UUIDs that nvidia-smi lists, or why it does not."""
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 fixed
    except (OSError, subprocess.SubprocessError) as error:
        return f"nvidia-smi: {type(error).__name__}"
    if done.returncode:
        return f"nvidia-smi: exit code {done.returncode}"
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def product() -> str:
    """Whether a product of two matrices is the same as on the CPU."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return "no torch"
    if not torch.cuda.is_available():
        return "torch finds no device"
    if torch.cuda.device_count() != 1:
        return f"torch finds {torch.cuda.device_count()} devices"
    left, right = torch.rand(SIZE, SIZE, dtype=torch.float64), torch.rand(SIZE, SIZE, dtype=torch.float64)
    apart = float(((left.cuda() @ right.cuda()).cpu() - left @ right).abs().max())
    return "right" if apart < NEAR else f"wrong by {apart:g}"


if __name__ == "__main__":
    tell("gpu nodes", nodes())
    tell("gpu", listed())
    tell("gpu product", product())
