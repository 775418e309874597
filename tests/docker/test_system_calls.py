"""Every system call by number on the real engine: what is refused is, with its error, and what libraries need works."""

# ruff: noqa: E501 the programs of submissions stand here as they are

from __future__ import annotations

import json
import platform
from errno import EPERM
from typing import Any

import pytest

from core.domain.limits import GIB
from runner.engine.docker_engine import DockerEngine
from runner.engine.seccomp_policy import ALLOWED, BY_ARGUMENT, DENIED, FALLING_BACK
from tests.system_calls import NUMBERS
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are this machine's only")

CALLER = r"""
import ctypes, json, os, signal, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    "In a child: the error's number, 0 when it went through, minus the signal that ended it."
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        ctypes.set_errno(0)
        answer = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(item) for item in (*arguments, 0, 0, 0, 0, 0)[:6]))
        os._exit(0 if answer >= 0 else ctypes.get_errno())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
BY_NUMBER = (
    CALLER
    + "print('FOUND ' + json.dumps({name: call(number) for name, number in json.load(open('calls.json')).items()}))\n"
)
ARGUMENTS = (
    CALLER
    + r"""
found = {}
HIGH = 1 << 32
for family in range(0, 46):
    found[f"socket {family}"] = call(41, family, 3 if family == 16 else 1, 0)
    found[f"socket {family} high"] = call(41, family | HIGH, 3 if family == 16 else 1, 0)
    found[f"socketpair {family}"] = call(53, family, 1, 0, ctypes.addressof(ctypes.create_string_buffer(8)))
for protocol in range(1, 24):
    found[f"netlink {protocol}"] = call(41, 16, 3, protocol)
    found[f"netlink {protocol} high"] = call(41, 16, 3, protocol | HIGH)
found["netlink 0 high"] = call(41, 16, 3, HIGH)
found["socketpair 1 high"] = call(53, 1 | HIGH, 1, 0, ctypes.addressof(ctypes.create_string_buffer(8)))
for persona in (0, 0xFFFFFFFF, 8, 0x40000, 0x20000, HIGH, 0xFFFFFFFF | HIGH, 0xFFFFFFFFFFFFFFFF):
    found[f"personality {persona:x}"] = call(135, persona)
for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    found[f"clone {bit:x}"] = call(56, bit | 17)
    found[f"clone {bit:x} high"] = call(56, bit | 17 | HIGH)
    found[f"clone {bit:x} with vfork"] = call(56, bit | 0x4000 | 17)
    found[f"unshare {bit:x}"] = call(272, bit)
    found[f"setns {bit:x}"] = call(308, 0, bit)
found["unshare time"] = call(272, 0x80)
found["setns time"] = call(308, 0, 0x80)
found["x32 getpid"] = call(0x40000000 | 39)
found["x32 ptrace"] = call(0x40000000 | 521)
found["beyond all numbers"] = call(1000)
import mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex("53b814000000cd805bc3"))  # the 32-bit getpid
child = os.fork()
if child == 0:
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
    os._exit(0)
found["int 0x80"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("FOUND " + json.dumps(found))
"""
)
SIGSYS, ENOSYS = 31, 38
LIBRARIES = r"""
import multiprocessing, os, sys, time
import cv2, numpy as np, torch, torch.multiprocessing
from sklearn.decomposition import PCA
from torch.utils.data import DataLoader, TensorDataset

def square(item):
    return item * item

def shared(queue):
    torch.set_num_threads(1)  # a forked child has none of its parent's threads
    queue.put(torch.ones(512, 512))
    time.sleep(1)

if __name__ == "__main__":
    print("DONE opencv", cv2.GaussianBlur(np.random.rand(256, 256).astype("float32"), (5, 5), 1).shape, cv2.getNumThreads() > 0)
    print("DONE sklearn", PCA(4).fit_transform(np.random.rand(200, 16)).shape)
    print("DONE threads", float((torch.rand(400, 400) @ torch.rand(400, 400)).sum()) > 0)
    data = TensorDataset(torch.arange(64).float())
    for start in ("fork", "spawn", "forkserver"):
        batches = [batch for (batch,) in DataLoader(data, batch_size=8, num_workers=1, multiprocessing_context=start)]
        print("DONE loader", start, len(batches), float(torch.cat(batches).sum()))
    for sharing in ("file_descriptor", "file_system"):
        torch.multiprocessing.set_sharing_strategy(sharing)
        context = torch.multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=shared, args=(queue,))
        child.start()
        print("DONE sharing", sharing, float(queue.get(timeout=60).sum()))
        child.join()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print("DONE pool", sum(pool.map(square, range(10))))
"""


def found_by(runner: TwinRunner[DockerEngine], program: str, **files: str) -> dict[str, int]:
    claim = runner.claim(program)
    folder = runner.storage.submission_files(claim.job.submission_id)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content)
    log = runner.log_of(runner.run(claim))
    assert "FOUND " in log, log
    found: dict[str, int] = json.loads(next(line for line in log.splitlines() if line.startswith("FOUND "))[6:])
    return found


@pytest.fixture
def roomy(runner: TwinRunner[DockerEngine]) -> TwinRunner[DockerEngine]:
    runner.log_limits = {"max_bytes": 1_000_000, "max_lines": 10_000, "kept_bytes": 500_000}
    return runner


@on_x86
def test_every_refused_call_is_refused_with_its_error(roomy: TwinRunner[DockerEngine]) -> None:
    """One by one and by number, H3, H5 to H9 and all that stand in no group: EPERM, or ENOSYS where a library falls back.

    What is newer than the whole list is ENOSYS, too: runc adds that, so that libraries fall back.
    """
    refused = [call for group in DENIED for call in group.calls]
    newest = max(NUMBERS[call] for group in (*ALLOWED, FALLING_BACK) for call in group.calls)
    wanted = {call: EPERM if NUMBERS[call] < newest else ENOSYS for call in refused}
    wanted |= dict.fromkeys(FALLING_BACK.calls, ENOSYS)
    found = found_by(roomy, BY_NUMBER, calls=json.dumps({call: NUMBERS[call] for call in wanted}))
    assert found == wanted


@on_x86
def test_arguments_are_looked_at_whole(roomy: TwinRunner[DockerEngine]) -> None:
    """Families, protocols, personalities and clone flags one by one, each also with a bit beyond the 32nd; other ABIs."""
    found = found_by(roomy, ARGUMENTS)
    allowed = {
        "socket 1",
        "socket 2",
        "socket 10",
        "socket 16",
        "socketpair 1",
        "personality 0",
        "personality ffffffff",
    }
    assert {name for name, error in found.items() if error == 0} == allowed
    killed = {name for name, error in found.items() if error == -SIGSYS}
    assert killed == {"x32 getpid", "x32 ptrace", "int 0x80"}
    others = {name: error for name, error in found.items() if name not in allowed | killed}
    assert others.pop("beyond all numbers") == ENOSYS
    assert set(others.values()) == {EPERM}, {name: error for name, error in others.items() if error != EPERM}
    assert {name.split()[0] for name in found} >= set(BY_ARGUMENT)


def test_what_libraries_need_is_there(roomy: TwinRunner[DockerEngine]) -> None:
    """OpenCV, scikit-learn, threads, loaders by fork, spawn and forkserver, tensors shared in both ways.

    anomalib's fit and test: examples/padim, in tests/acceptance.
    """
    roomy.limits = roomy.limits.model_copy(update={"cpus": 2, "memory_bytes": 4 * GIB})
    job: Any = roomy.run(roomy.claim(LIBRARIES + "    " + GOOD.strip().replace("\n", "\n    ")))
    log = roomy.log_of(job)
    assert job.state == "completed", log
    done = [line.removeprefix("DONE ") for line in log.splitlines() if line.startswith("DONE ")]
    assert len(done) == 9
    assert [line for line in done if line.startswith("loader")] == [
        f"loader {start} 8 2016.0" for start in ("fork", "spawn", "forkserver")
    ]
    assert [line for line in done if line.startswith("sharing")] == [
        f"sharing {way} 262144.0" for way in ("file_descriptor", "file_system")
    ]
