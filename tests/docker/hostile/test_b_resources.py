"""Group B: more processes, memory, time, disk than a run may have."""

# ruff: noqa: E501, ISC004 the programs of submissions stand here as they are

from __future__ import annotations

import resource
import time

import pytest

from core.domain.limits import MIB
from core.domain.verdict import FailureReason
from tests.docker.hostile.arena import METRICS, Arena

pytestmark = [pytest.mark.docker, pytest.mark.alone]

PROBE = r"""
import ctypes, errno, mmap, os, resource, socket, threading, time
def case(name, seen): print(f"CASE {name}|{seen}", flush=True)
def tried(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno, "?")
    return "done"
def fill(path, size=2**20):
    def go():
        with open(path, "wb", 0) as f:
            while f.write(bytes(size)) == size: pass
            f.write(b"x" * size); raise OSError(errno.ENOSPC, "short")
    return go
def many(action):
    kept = []
    try:
        while len(kept) < 20000: kept.append(action())
    except (OSError, RuntimeError) as error:
        return len(kept), errno.errorcode.get(getattr(error, "errno", 0), type(error).__name__)
    return len(kept), "done"
children, why = many(lambda: os.fork() or os._exit(0))
case("H23 zombies", why)
for _ in range(children): os.wait()
gate = threading.Event()
def thread(): t = threading.Thread(target=gate.wait); t.start(); return t
case("H23 threads", many(thread)[1]); gate.set(); time.sleep(0.5)
case("H26 tmp", tried(fill("/tmp/f"))); os.remove("/tmp/f")
case("H26 shm", tried(fill("/dev/shm/f"))); os.remove("/dev/shm/f")
case("H28", " ".join(sorted({tried(lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-900")), tried(lambda: os.nice(-5)),
    tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))})))
def raised():
    try: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    except ValueError: return "refused"
    return "done"
case("H28 rlimit", raised())
start, pids = time.time(), []
for _ in range(4):
    pid = os.fork()
    if not pid:
        while time.time() < start + 3: pass
        os._exit(0)
    pids.append(pid)
before = time.time()
for pid in pids: os.waitpid(pid, 0)
t = os.times(); case("H29", f"{(t.children_user + t.children_system) / (time.time() - start):.2f}")
case("H36", tried(lambda: open("/out/s", "wb").truncate(2**40)))
case("X5", tried(lambda: os.posix_fallocate(os.open("/out/k", os.O_CREAT | os.O_WRONLY), 0, 2**30)))
case("H43", many(lambda: os.open("/dev/null", os.O_RDONLY))[1])
"""
EXPECTED = {
    "H23 zombies": ("EAGAIN", "fork without waiting", "pids limit"),
    "H23 threads": ("RuntimeError", "threads without end", "pids limit"),
    "H26 tmp": ("ENOSPC", "fill /tmp", "sized mount"),
    "H26 shm": ("ENOSPC", "fill /dev/shm", "sized mount"),
    "H28": ("EACCES EPERM", "lower its OOM score, better nice, real-time class", "no capabilities"),
    "H28 rlimit": ("refused", "raise its own limits", "no capabilities"),
    "H36": ("EFBIG", "sparse file of 1 TiB", "fsize limit"),
    "X5": ("EFBIG", "1 GiB by fallocate", "fsize limit"),
    "H43": ("EMFILE", "file descriptors", "nofile limit"),
}
TOUCH = "x = []\nwhile True: x.append(b'x' * 2**22)"
ENDINGS = {
    "H23": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "fork bomb that goes on",
            FailureReason.TIMEOUT, "pids limit, own clock"),
    "H24": (TOUCH, "memory by touch", FailureReason.OUT_OF_MEMORY, "memory = swap limit"),
    "H25": ("import os\nwhile True:\n    f = os.memfd_create('x')\n    for _ in range(4): os.write(f, b'x' * 2**22)", "memory by memfd",
            FailureReason.OUT_OF_MEMORY, "memory limit"),
    "H25 sockets": ("import socket\nx = []\nwhile True:\n    a, b = socket.socketpair(); x += [a, b]; a.setblocking(False)\n"
                    "    a.setsockopt(1, 7, 2**24)\n    try:\n        while a.send(b'x' * 60000): pass\n    except OSError: pass\n"
                    "    if len(x) > 4000: raise SystemExit(9)",
                    "memory by socket buffers", None, "memory or descriptor limit"),
    "H25 SysV": ("import ctypes\nlibc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p\nwhile True:\n"
                 "    i = libc.shmget(0, 2**24, 0o1600)\n    if i < 0: raise SystemExit(9)\n"
                 "    ctypes.memset(libc.shmat(i, None, 0), 1, 2**24)", "memory by System V segments", None,
                 "memory limit or seccomp"),
    "H25 inodes": ("for i in range(10**7): open(f'/tmp/{i}', 'w').close()", "memory by empty files in /tmp", None,
                   "nr_inodes or memory limit"),
    "H31": ("import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
            "while True: pass", "busy for ever, deaf to signals", FailureReason.TIMEOUT, "own clock, SIGKILL"),
    "H30": ("import time; time.sleep(9999)", "sleep for ever", FailureReason.TIMEOUT, "own clock"),
    "H35": ("f = open('/out/f', 'wb', 0)\nwhile True: f.write(bytes(2**20))", "fill /out",
            FailureReason.OUTPUT_LIMIT, "bounded volume"),
    "H38": ("for i in range(10**6): open(f'/out/{i}', 'w').close()", "a million files", FailureReason.OUTPUT_LIMIT,
            "nr_inodes"),
    "X6": ("import os\nf = open('/out/f', 'wb', 0); os.remove('/out/f')\ntry:\n    while True: f.write(bytes(2**20))\n"
           "except OSError: pass\nopen('/out/metrics.json', 'wb', 0).write(b'x' * 5000)", "fill /out with an unlinked file",
           FailureReason.EXIT, "bounded volume"),
    "X7": ("import mmap, os\nf = os.open('/out/m', os.O_CREAT | os.O_RDWR); x = []\n"
           "g = [os.open(f'/out/m{i}', os.O_CREAT | os.O_RDWR) for i in range(4)]\n"
           "for h in g:\n    os.ftruncate(h, 2**24); m = mmap.mmap(h, 2**24)\n    for i in range(0, 2**24, 4096): m[i] = 1",
           "fill /out through mapped sparse files", FailureReason.OUTPUT_LIMIT, "bounded volume: SIGBUS"),
    "X8": ("import os\nif os.fork() == 0:\n    x = []\n    while True: x.append(b'x' * 2**22)\nos.wait()\n" + METRICS,
           "a child that is killed for memory, a parent that ends well", FailureReason.OUT_OF_MEMORY, "the engine's flag"),
    "X9": ("import os; os.kill(os.getpid(), 9)", "kills itself, as the kernel would for memory", FailureReason.EXIT,
           "the engine's flag, not the exit code"),
    "X10": ("import os; os.kill(1, 15); import time; time.sleep(99)", "ends its own init", FailureReason.EXIT,
            "init passes signals on"),
    "X11": ("import os; os.kill(1, 19); os.kill(os.getpid(), 19)", "stops its init and itself",
            FailureReason.TIMEOUT, "own clock, SIGKILL"),
}  # fmt: skip


@pytest.mark.usefixtures("healthy")
def test_every_limit_is_met_from_inside(arena: Arena) -> None:
    """B: each limit answers its error inside, and nobody outside notices (P6)."""
    ended = arena.run(PROBE)
    found = ended.found()
    spinners = float(found.pop("H29"))
    assert found == {case: outcome for case, (outcome, _, _) in EXPECTED.items()}
    assert spinners <= 1.1
    arena.held("H29", "four spinners on one CPU", f"{spinners:.2f} CPU seconds a second", "cpus")
    for case, (outcome, attempt, bound) in EXPECTED.items():
        arena.held(case, attempt, outcome.replace(" ", ", "), bound)


@pytest.mark.usefixtures("healthy")
def test_every_way_to_take_more_ends_with_its_reason(arena: Arena) -> None:
    """B: the verdict names the right reason, in time, with limit and peak."""
    for case, (program, attempt, reason, bound) in ENDINGS.items():
        seconds = 4 if reason is FailureReason.TIMEOUT else 60
        ended = arena.run(program, timeout_seconds=seconds, memory_bytes=160 * MIB)
        assert ended.seconds < 400, case
        wanted = {reason} if reason else {FailureReason.OUT_OF_MEMORY, FailureReason.EXIT}
        assert ended.reason in wanted, (case, ended.job.error_message, ended.log[-300:])
        arena.held(case, attempt, str(ended.reason), bound)


def test_nothing_outlives_the_program(arena: Arena) -> None:
    """H33, H34, H69: a child that goes on, keeps stdout open and would write later dies with its parent."""
    program = METRICS + (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True:\n"
        "        open('/out/metrics.json', 'w').write('late'); print('late', flush=True); time.sleep(0.001)\n"
        "time.sleep(0.2); " + METRICS
    )
    ended = arena.run("import os\n" + METRICS + "if os.fork() == 0:\n    import time; time.sleep(600)\n")
    assert ended.reason is None
    assert ended.seconds < 200  # its child sleeps for 600
    arena.held("H33, H34", "a daemon child that keeps stdout open", "ended with its parent", "PID namespace")
    size = len(arena.run(program).log)
    time.sleep(0.5)
    assert size > 0
    arena.held("H69, H63", "a late writer replaces metrics.json", "dead before the harvest", "harvest after the end")


def test_a_flood_of_log_ends_bounded(arena: Arena) -> None:
    """H40, H42, X12: 1 GB of lines, of no line, of empty lines: stopped, kept up to the cap, our memory flat."""
    floods = {
        "H40": ("import os\nline = b'x' * 99 + b'\\n'\nwhile True: os.write(1, line * 600)", "1 GB of lines"),
        "H42": ("import os\nwhile True: os.write(1, b'x' * 65536)", "one line without end"),
        "X12": ("import os\nwhile True: os.write(2, b'\\n' * 65536)", "empty lines without end, to stderr"),
        "X13": ("import os\nwhile True: os.write(1, b'\\x1b[31m\\x00\\xff' * 9999); os.write(2, b'\\xf0\\x9f' * 9999)",
                "escape sequences and half characters on both streams"),
    }  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case, (program, attempt) in floods.items():
        ended = arena.run(program)
        assert ended.reason is FailureReason.LOG_LIMIT, case
        assert len(ended.log) < 1.1 * arena.runner.log_limits["kept_bytes"] + 2000, case
        if case != "X12":  # stopped for its lines, of one byte each, so that perhaps all of it was kept
            assert ended.job.peaks["log_bytes"] > arena.runner.log_limits["kept_bytes"], case
            assert b"bytes were dropped here" in ended.log, case
        arena.held(case, attempt, f"log_limit after {ended.seconds:.1f} s", "caps of bytes and lines")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 40_000
