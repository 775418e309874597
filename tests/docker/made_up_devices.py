"""Lines of a Dockerfile that put stand-ins for nvidia-smi and the driver's library into an image."""

from __future__ import annotations

from tests.conftest import REPOSITORY

GPU = "GPU-00000000-1111-2222-3333-444444444444"
"""The one device of tests/docker/cdi."""
LIBRARY = "/usr/local/lib/libnvidia-ml.so.1"


def smi(*, used: int = 3, devices: tuple[str, ...] = (GPU,)) -> str:
    """An nvidia-smi that lists these devices, each with so many MiB in use, where it finds the node of one."""
    lists = "; ".join(f'echo "{device}$told"' for device in devices)
    script = f'#!/bin/sh\\n[ -e /dev/nvidia0 ] || exit 9\\ncase "$*" in *memory*) told=", {used}";; esac\\n{lists}\\n'
    return f"RUN printf '{script}' > /usr/bin/nvidia-smi && chmod 0755 /usr/bin/nvidia-smi"


def nvml() -> str:
    """The driver's library, with that device and 3 MiB in use."""
    source = (REPOSITORY / "tests/docker/fake_nvml.c").read_text()
    quoted = source.replace("\\", "\\\\").replace("'", "'\\''").replace("\n", "\\n").replace("%", "%%")
    written = f"RUN mkdir /gpu && echo 3 > /gpu/used && printf '{quoted}' > /n.c"
    return f"{written}\nRUN gcc -shared -fPIC -o {LIBRARY} /n.c && ldconfig"
