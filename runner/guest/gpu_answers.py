"""Answers each line of its input with the engine's devices and their used memory, as nvidia-smi's rows say them.

Runs in a container of ours that sees all devices, until its input ends. The driver's library is asked through ctypes if
its first answer agrees with nvidia-smi's; else nvidia-smi is run for each line.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from typing import Any

MIB = 1024**2
COMMAND = ("nvidia-smi", "--query-gpu=uuid,memory.used", "--format=csv,noheader,nounits")
SMI_SECONDS = 10
UUID_BYTES = 96
NOT_SUPPORTED = 3
NEAR_MIB = 256
"""What a device's memory may change by between two looks that count as the same."""


class Memory(ctypes.Structure):
    """nvmlMemory_v2_t: as nvidia-smi, and unlike version 1, it does not count what the driver reserves as used."""

    _fields_ = (
        ("version", ctypes.c_uint),
        ("total", ctypes.c_ulonglong),
        ("reserved", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


class Nvml:
    """The driver's library, opened once. Every method raises OSError for its errors."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libnvidia-ml.so.1")
        self._call("nvmlInit_v2")

    def _call(self, name: str, *arguments: Any, accepted: tuple[int, ...] = (0,)) -> int:
        try:
            code = int(getattr(self._library, name)(*arguments))
        except AttributeError as error:  # an older driver
            raise OSError(f"no {name}") from error
        if code not in accepted:
            raise OSError(f"{name}: {code}")
        return code

    def rows(self) -> str:
        count = ctypes.c_uint()
        self._call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        return "".join(self._row(index) for index in range(count.value))

    def _row(self, index: int) -> str:
        device, uuid = ctypes.c_void_p(), ctypes.create_string_buffer(UUID_BYTES)
        memory = Memory(version=ctypes.sizeof(Memory) | 2 << 24)
        self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(device))
        self._call("nvmlDeviceGetUUID", device, uuid, ctypes.c_uint(UUID_BYTES))
        code = self._call("nvmlDeviceGetMemoryInfo_v2", device, ctypes.byref(memory), accepted=(0, NOT_SUPPORTED))
        return f"{uuid.value.decode()}, {'[N/A]' if code else -(-memory.used // MIB)}\n"


def by_smi() -> str:
    """What nvidia-smi prints; empty where there is none. Raises TimeoutExpired."""
    try:
        return subprocess.run(COMMAND, capture_output=True, text=True, timeout=SMI_SECONDS, check=False).stdout  # noqa: S603 fixed
    except FileNotFoundError:
        return ""


def used(rows: str) -> dict[str, str]:
    return {uuid.strip(): told.strip() for uuid, _comma, told in (row.partition(",") for row in rows.splitlines())}


def agree(some: dict[str, str], others: dict[str, str]) -> bool:
    """Whether both name the same devices, with nearly the same memory in use."""
    if not some or some.keys() != others.keys():
        return False
    pairs = [(told, others[uuid]) for uuid, told in some.items()]
    return all(
        abs(int(one) - int(other)) <= NEAR_MIB if one.isdigit() and other.isdigit() else one == other
        for one, other in pairs
    )


def trusted() -> Nvml | None:
    try:
        nvml = Nvml()
        return nvml if agree(used(nvml.rows()), used(by_smi())) else None
    except OSError:
        return None


def rows_by(nvml: Nvml | None) -> str:
    if nvml is not None:
        try:
            return nvml.rows()
        except OSError:  # such as a device that is lost, which nvidia-smi tells beside the others
            pass
    return by_smi()


def main() -> None:
    nvml = trusted()
    way = "nvidia-smi" if nvml is None else "nvml"
    for line in sys.stdin:
        sys.stdout.write(json.dumps({"request": line.strip(), "by": way, "rows": rows_by(nvml)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
