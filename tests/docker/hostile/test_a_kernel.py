"""Group A: out of the sandbox by the kernel, by devices, by what the last job left. One probe tries them all."""

# ruff: noqa: E501 the programs of submissions stand here as they are

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import pytest
from docker.models.containers import Container

from tests.docker.hostile.arena import Arena

pytestmark = [
    pytest.mark.docker,
    pytest.mark.alone,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the probe knows this machine's call numbers only"),
]

PROBE = r"""
import ctypes, os, socket, pathlib, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in args])
    return "done" if answer >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")
def tried(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__) if error.errno else type(error).__name__
    return "done"
def case(name, outcomes):
    print("CASE " + name + "|" + " ".join(sorted(set(outcomes))), flush=True)

def tcp(host, port, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    def go():
        s = socket.socket(family, kind); s.settimeout(2); s.connect((host, port))
    return go
case("H1", [tried(tcp("1.1.1.1", 53)), tried(tcp("1.1.1.1", 53, kind=socket.SOCK_DGRAM)), tried(tcp("169.254.169.254", 80)),
    tried(tcp("LISTENER", 4242)), tried(tcp("LISTENER", 4242, kind=socket.SOCK_DGRAM)), tried(tcp("172.17.0.1", 2375)), tried(tcp("172.17.0.1", 2376)), tried(tcp("172.18.0.1", 6379)),
    tried(tcp("2606:4700:4700::1111", 53, socket.AF_INET6)), tried(lambda: socket.getaddrinfo("redis", 6379)),
    tried(lambda: socket.getaddrinfo("example.org", 80))])
families = [40, 38, 15, 17, 44, 31, 30, 29, 21]
case("H3", [call(41, f, 2, 0) for f in families] + [call(41, 2**32 + f, 2, 0) for f in families]
    + [call(41, 16, 3, p) for p in (9, 12, 6, 2**32 + 12)] + [call(53, 16, 2, 0, 0)])
flags = [0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x04000000, 0x08000000, 0x02000000]
case("H5", [call(272, f) for f in flags] + [call(56, f | 17, 0, 0, 0, 0) for f in flags if f != 0x80] + [call(435, 0, 0), call(308, 0, 0)])
case("H6", [call(n, 0, 0, 0, 0, 0) for n in (165, 166, 155, 161, 430, 428, 429, 442, 304)])
sibling = os.fork()
if sibling == 0:
    import time; time.sleep(20); os._exit(0)
case("H7", [call(101, 16, p, 0, 0) for p in (sibling, 1)] + [call(n, p, 0, 0, 0, 0, 0) for n in (310, 311) for p in (sibling, 1)] + [call(438, 0, 0, 0), call(312, 1, sibling, 0, 0, 0)])
os.kill(sibling, 9)
case("H9", [call(n, 0, 0, 0, 0, 0) for n in (321, 298, 323, 425, 206, 250, 248, 249, 447, 154)] + [call(135, 0x40000), call(135, 2**32 + 0x40000)])
suid = 0
for top in ("/usr", "/opt/venv/bin", "/etc", "/bin", "/sbin"):
    for folder, _dirs, names in os.walk(top):
        for n in names:
            try: suid += bool(os.lstat(os.path.join(folder, n)).st_mode & 0o6000)
            except OSError: pass
case("H11", [f"{suid}-found", tried(lambda: os.setuid(0)), tried(lambda: os.setgid(0))])
case("H12", [tried(lambda: os.mknod("/tmp/d", 0o60600, os.makedev(8, 0))), tried(lambda: os.mknod("/tmp/c", 0o20600, os.makedev(1, 1)))]
    + [tried(lambda p=p: open(p, "rb")) for p in ("/dev/kmsg", "/dev/fuse", "/dev/kvm", "/dev/vda", "/dev/sda", "/dev/mem", "/dev/net/tun")])
case("H13", [tried(lambda p=p: open(p, "w")) for p in ("/x", "/usr/x", "/etc/passwd", "/submission/main.py", "/config/job.json", "/data/x",
    "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/x", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")])
mine = open("/proc/self/mountinfo").read() + open("/proc/self/cgroup").read() + repr(dict(os.environ))
case("H14", ["names-or-secrets" if any(w in mine for w in ("planted", "PLANTED", "API_TOKENS", "/logs/", "secret")) else "none"]
    + ["kcore-read" for _ in [0] if tried(lambda: open("/proc/kcore", "rb").read(1) or 1/0) == "done"])
case("H16", [str(p) for root in ("/run", "/var/run", "/tmp") for p in pathlib.Path(root).glob("**/*.sock")] or ["none"])
left = [p for place in ("/dev/shm", "/dev/mqueue", "/tmp", "/out") for p in os.listdir(place) if (place, p) != ("/tmp", "huggingface")]  # links into the image
left += open("/proc/sysvipc/shm").read().splitlines()[1:] if os.path.exists("/proc/sysvipc/shm") else []
case("H20", left or ["none"])
for place in ("/dev/shm/left", "/dev/mqueue/left", "/tmp/left"):
    tried(lambda: open(place, "w"))
call(29, 4711, 4096, 0o1666)
case("X1", [tried(lambda: os.kill(-1, 0) or os.kill(2**22 - 1, 0))])
hidden = [p for p in pathlib.Path("/proc").glob("[0-9]*")]
case("X2", ["only-own" if len(hidden) <= 4 else f"{len(hidden)}-processes"])
case("X3", [call(157, 38, 0, 0, 0, 0) if open("/proc/self/status").read().count("NoNewPrivs:\t1") else "no-new-privs-off", call(126, 0, 0)])
case("X4", [tried(lambda: open("/proc/1/root/etc/shadow")), tried(lambda: os.listdir("/proc/1/cwd/../../root"))])
"""
END_OF_PROBE = "raise SystemExit(0)\n"
REFUSED = {"EPERM", "ENOSYS"}
CASES = {
    "H1": ({"ENETUNREACH", "EADDRNOTAVAIL", "gaierror", "EAI_AGAIN", "?"}, "TCP, UDP, DNS, IPv6, metadata, engine",
           "network none"),
    "H3": ({"EPERM"}, "11 socket families, also with high bits", "seccomp"),
    "H5": (REFUSED, "unshare, clone, clone3, setns with every namespace", "seccomp"),
    "H6": ({"EPERM"}, "mount, pivot_root, chroot and six newer ones", "seccomp, no capabilities"),
    "H7": ({"EPERM"}, "ptrace, process_vm, pidfd_getfd, kcmp on a sibling and PID 1", "seccomp"),
    "H9": (REFUSED, "bpf, perf, userfaultfd, io_uring, aio, keys, memfd_secret, ldt, personality", "seccomp"),
    "H11": ({"0-found", "EPERM"}, "set-uid programs; becoming root", "none in the image, no-new-privileges, seccomp"),
    "H12": ({"EPERM", "ENOENT", "EACCES"}, "making and opening devices, kmsg, fuse, kvm, disks", "no capabilities"),
    "H13": ({"EROFS", "EACCES", "ENOENT", "EPERM"}, "writing root, /submission, /data, /proc/sys, sysrq, cgroups",
            "read-only root, masked paths"),
    "H14": ({"none"}, "names and secrets in mountinfo, cgroup, environment", "environment from nothing"),
    "H16": ({"none"}, "engine socket", "not mounted"),
    "H20": ({"none"}, "shared memory, queues and files of the job before", "private IPC, fresh mounts"),
    "X1": ({"ESRCH"}, "signals to everybody: only its own processes are there", "PID namespace"),
    "X2": ({"only-own"}, "processes of others in /proc", "PID namespace"),
    "X3": ({"EPERM", "ENOSYS", "EINVAL", "EFAULT", "done"}, "prctl and capset on itself", "no-new-privileges"),
    "X4": ({"EACCES", "EPERM", "ENOENT"}, "what lies behind PID 1's root and folder", "seccomp, no capabilities"),
}  # fmt: skip


LISTEN = """
import socket
listener = socket.create_server(("", 4242))
print("listens", flush=True)
while True: print("heard", listener.accept()[1][0], flush=True)
"""


@contextmanager
def listener(inner: docker.DockerClient, image: str) -> Iterator[Container]:
    """On the bridge of the engine, where containers with a network would reach it."""
    started = inner.containers.run(image, ["python", "-c", LISTEN], entrypoint=[], network="bridge", detach=True)
    try:
        until = time.monotonic() + 120
        while b"listens" not in started.logs():
            assert time.monotonic() < until
            time.sleep(0.1)
        started.reload()
        yield started
    finally:
        started.remove(force=True)


def test_nothing_leads_out_of_the_sandbox(arena: Arena, inner: docker.DockerClient, image: str) -> None:
    """A: each way out answers an error that a wall gives, for two jobs one after the other; nobody hears of them."""
    with listener(inner, image) as ears:
        address = ears.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        reach = ["python", "-c", f"import socket; socket.create_connection(('{address}', 4242), 5)"]
        inner.containers.run(image, reach, entrypoint=[], network="bridge", remove=True)  # it can be heard
        program = PROBE.replace("LISTENER", address)
        arena.run(program)
        found = arena.run(program + END_OF_PROBE).found()
        assert ears.logs().count(b"heard") == 1
    assert set(found) == set(CASES), "the probe did not get to its end"
    wrong = {case: seen for case, seen in found.items() if not set(seen.split()) <= CASES[case][0]}
    assert not wrong
    for case, seen in found.items():
        arena.held(case, CASES[case][1], seen.replace(" ", ", "), CASES[case][2])
