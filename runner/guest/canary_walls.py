"""Inspects the sandbox from inside and tries what costs nothing; prints one JSON line per wall (BOX-12).

Runs as a submission would; its findings are judged outside. Standard library only, nothing of ours.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import mmap
import multiprocessing
import os
import platform
import resource
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

USER_NAMESPACE = 0x10000000
HIGH_BIT = 1 << 32
# Numbers for x86-64 and for ARM, arguments. Without the filter each call ends otherwise than with it.
CALLS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "unshare": (272, 97, (USER_NAMESPACE,)),
    "setns": (308, 268, (-1, 0)),
    "ptrace": (101, 117, (0, 0, 0, 0)),
    "process_vm_readv": (310, 270, (0, 0, 0, 0, 0, 0)),
    "kcmp": (312, 272, (1, 1, 0, 0, 0)),
    "keyctl": (250, 219, (0, -3, 0)),
    "userfaultfd": (323, 282, (1,)),
    "io_uring_setup": (425, 425, (1, 0)),
    "perf_event_open": (298, 241, (0, 0, -1, -1, 0)),
    "memfd_secret": (447, 447, (0,)),
    "mount": (165, 40, (0, 0, 0, 0, 0)),
    "personality": (135, 92, (0x40000,)),
    "socket vsock": (41, 198, (40, 1, 0)),
    "socket vsock, high bit": (41, 198, (40 | HIGH_BIT, 1, 0)),
    "socket unix, high bit": (41, 198, (1 | HIGH_BIT, 1, 0)),
    "socket audit": (41, 198, (16, 3, 9)),
    "socket alg": (41, 198, (38, 5, 0)),
}
MASKED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats")
READ_ONLY = ("/", "/etc", "/submission", "/config")
WITH_WEIGHTS = ("/weights",)
"""There where the site has weights."""
EMPTY = ("/proc/acpi", "/proc/scsi", "/sys/firmware")
LOCKED = (
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/vm/drop_caches",
    "/proc/irq/default_smp_affinity",
)
CGROUPS = {
    "memory": ("memory.max", "memory/memory.limit_in_bytes"),
    "swap": ("memory.swap.max", "memory/memory.memsw.limit_in_bytes"),
    "pids": ("pids.max", "pids/pids.max"),
    "cpu": ("cpu.max", "cpu/cpu.cfs_quota_us"),
}

PARTS = (
    "bz2", "concurrent.futures", "csv", "hashlib", "logging.config", "lzma", "multiprocessing.shared_memory",
    "multiprocessing.synchronize", "pickle", "sqlite3", "ssl", "statistics", "subprocess", "unittest.mock", "zipfile",
    "zlib",
)  # fmt: skip
"""Parts of the standard library that a Python built without a library, or a slimmed one, lacks."""
ANSWER = 7


def tell(check: str, found: Any) -> None:
    print(json.dumps({"check": check, "found": found}), flush=True)


def refused(action: Callable[[], object]) -> str:
    """The name of the action's error, or "" when it succeeded."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return ""


def in_a_child(action: Callable[[], int]) -> int:
    """Runs the action in a child process, which keeps its effects away from us. Returns its answer, 0 to 255."""
    child = os.fork()
    if child == 0:
        os._exit(action() & 0xFF)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def system_calls() -> dict[str, str]:
    """The forbidden calls that were not refused, and how they ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    arm = platform.machine() == "aarch64"
    found = {}
    for name, (x86, arm_number, arguments) in CALLS.items():
        number = arm_number if arm else x86

        def call(number: int = number, arguments: tuple[int, ...] = arguments) -> int:
            ctypes.set_errno(0)
            answer = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(item) for item in arguments))
            return 0 if answer >= 0 else ctypes.get_errno()

        code = in_a_child(call)
        if code not in {errno.EPERM, errno.ENOSYS}:
            found[name] = errno.errorcode.get(code, str(code))
    return found


def status(*names: str) -> list[str]:
    lines = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return [lines.get(name, "not told").strip() for name in names]


def readable() -> list[str]:
    """The paths that should be hidden and are not."""
    return [path for path in MASKED if content(path)] + [path for path in EMPTY if entries(path)]


def content(path: str) -> bytes:
    try:
        with Path(path).open("rb", buffering=0) as file:
            return file.read(16) or b""
    except OSError:
        return b""


def entries(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def open_for_writing(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY))


def figure(names: tuple[str, ...]) -> str:
    """The first figure found in this container's control group; gVisor shows none."""
    for name in names:
        path = Path("/sys/fs/cgroup") / name
        if path.exists():
            return path.read_text().split()[0]
    return "not told"


def size(path: str) -> list[int]:
    found = os.statvfs(path)
    return [found.f_blocks * found.f_frsize, found.f_files]


def walls() -> Iterator[tuple[str, Any]]:
    """Yields a finding for every wall that can be inspected, or tried at no cost."""
    yield "network", [name for _, name in socket.if_nameindex()]
    yield "way out", refused(lambda: socket.create_connection(("192.0.2.1", 80), 2))
    yield "read-only", {path: unwritable(path) for path in (*READ_ONLY, *filter(os.path.exists, WITH_WEIGHTS))}
    yield "user", [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), *os.getgroups()]
    yield "capabilities", sorted(set(status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")))
    yield "filter", status("Seccomp", "NoNewPrivs")
    yield "system calls", system_calls()
    yield "hidden", readable()
    yield "locked", {path: refused(partial(open_for_writing, path)) for path in LOCKED if os.path.exists(path)}
    yield "cgroup", {name: figure(names) for name, names in CGROUPS.items()}
    yield (
        "ulimits",
        [resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
    )
    yield "sizes", {path: size(path) for path in ("/out", "/tmp", "/job", "/dev/shm")}
    yield "mounts", mounts()
    yield "devices", sorted(os.listdir("/dev"))
    yield "environment", sorted(os.environ)
    processes = [name for name in os.listdir("/proc") if name.isdigit()]
    yield "neighbours", [len(processes), Path("/proc/1/comm").read_text().strip()]
    yield "shared memory", sorted(os.listdir("/dev/shm")) + left_in_memory()
    yield "identity", [socket.gethostname(), os.readlink("/proc/self/fd/0"), os.getcwd()]
    yield "oom score", int(Path("/proc/self/oom_score_adj").read_text())


def works() -> Iterator[tuple[str, Any]]:
    """Yields what a program needs and may lack in a site's own image: places to write to, and parts of Python."""
    places = dict.fromkeys(("/tmp", "/out", "/dev/shm", "/job", os.environ.get("HOME", "")))
    yield "writable", {path: refused(partial(write, path)) or "written" for path in places}
    yield "programs", {path: refused(partial(load, path)) or "loaded" for path in ("/tmp", "/job")}
    yield "python", {"version": list(sys.version_info[:2]), "lacks": [name for name in PARTS if lacks(name)]}
    yield "workers", in_a_worker()


def write(folder: str) -> None:
    """Makes a file there, reads it back and removes it."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="canary") as file:
        file.write(b"x")
        file.flush()
        if Path(file.name).read_bytes() != b"x":
            raise OSError(errno.EIO, "what was written is not read")


def load(folder: str) -> None:
    """Maps a file there as the loader of a program does; fails where the folder may hold no programs."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="canary") as file:
        file.write(b"x" * mmap.PAGESIZE)
        file.flush()
        mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC).close()


def lacks(module: str) -> bool:
    try:
        importlib.import_module(module)
    except Exception:  # noqa: BLE001 whatever a broken part of Python raises
        return True
    return False


def in_a_worker() -> str:
    """What a worker process of a data loader answers through shared memory and a lock, or the error's name."""
    try:
        shared = multiprocessing.get_context("fork").Array("b", 16)
        child = multiprocessing.get_context("fork").Process(target=shared.__setitem__, args=(0, ANSWER))
        child.start()
        child.join(20)
        return "answered" if shared[0] == ANSWER else f"no answer, exit code {child.exitcode}"
    except Exception as error:  # noqa: BLE001 whatever a broken part of Python raises
        return type(error).__name__


def unwritable(folder: str) -> str:
    """The error of writing there. Missing rights give one, too, so the mount must be read-only as well."""
    error = refused(partial(open, f"{folder}/canary", "w"))
    return error if os.statvfs(folder).f_flag & os.ST_RDONLY else f"{error}, but it is mounted for writing"


def mounts() -> list[str]:
    """All mount points, except below /proc and /sys, where mounts only hide things."""
    points = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    return sorted(path for path in points if not path.startswith(("/proc/", "/sys/")))


def left_in_memory() -> list[str]:
    path = Path("/proc/sysvipc/shm")
    return path.read_text().splitlines()[1:] if path.exists() else []


if __name__ == "__main__":
    for name, seen in (*walls(), *works()):
        tell(name, seen)
