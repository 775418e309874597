"""The system calls of the sandbox, by group and with the reason of each: `scripts/seccomp` writes seccomp.json from it.

An allowlist: a call in no group is refused (EPERM; ENOSYS where a library then falls back to another call). A call is
allowed because CPython, PyTorch, scikit-learn, OpenCV or anomalib make it or one of its kind, and because, without
capabilities and network, it reaches only what is the run's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from errno import ENOSYS, EPERM
from typing import Any

NAMESPACES = 0x7E020000
"""Every CLONE_NEW* bit that `clone` can carry."""
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
ROUTE = 0
ANY_QUERY = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Calls of one kind, and why they are allowed or refused."""

    name: str
    why: str
    calls: tuple[str, ...]


def _group(name: str, why: str, calls: str) -> Group:
    return Group(name=name, why=why, calls=tuple(sorted(calls.split())))


ALLOWED = (
    _group(
        "files",
        "Reading data and code, writing results: paths are bounded by the mounts, sizes by the volumes. `mknod` makes "
        "FIFOs alone, since devices need a capability.",
        """access faccessat faccessat2 open openat openat2 creat close close_range read readv pread64 preadv
        preadv2 write writev pwrite64 pwritev pwritev2 lseek stat fstat lstat newfstatat statx statfs fstatfs
        getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink
        unlinkat symlink symlinkat readlink readlinkat chmod fchmod fchmodat chown fchown fchownat lchown umask
        utime utimes utimensat futimesat truncate ftruncate fallocate fadvise64 readahead fsync fdatasync
        sync_file_range flock fcntl ioctl dup dup2 dup3 pipe pipe2 sendfile copy_file_range getxattr lgetxattr
        fgetxattr listxattr llistxattr flistxattr setxattr fsetxattr lsetxattr removexattr fremovexattr
        lremovexattr inotify_init inotify_init1 inotify_add_watch inotify_rm_watch mknod mknodat syncfs""",
    ),
    _group(
        "memory",
        "Allocators, mapped data sets; `memfd_create` because CUDA fails without it, `mlock` for pinned buffers. All "
        "of it counts as the run's memory.",
        "mmap mprotect munmap mremap madvise mincore msync mlock mlock2 munlock brk memfd_create membarrier",
    ),
    _group(
        "processes",
        "Data loaders and thread pools. The pids limit bounds how many, the PID namespace whom they can see; "
        "priorities can only fall without a capability.",
        """fork vfork execve exit exit_group wait4 waitid kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
        getpid getppid gettid getpgid getpgrp setpgid getsid setsid getuid geteuid getgid getegid getresuid
        getresgid getgroups getrlimit setrlimit prlimit64 getrusage times getpriority setpriority sched_yield
        sched_getaffinity sched_setaffinity sched_getscheduler sched_setscheduler sched_getparam sched_setparam
        sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval
        ioprio_get ioprio_set prctl arch_prctl set_tid_address set_robust_list get_robust_list rseq capget uname
        sysinfo getcpu getrandom restart_syscall""",
    ),
    _group(
        "signals",
        "Between the run's own processes.",
        """rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack
        signalfd signalfd4 pause alarm setitimer getitimer""",
    ),
    _group(
        "time",
        "Reading clocks and waiting; setting them is not among these.",
        """clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time timer_create timer_delete
        timer_gettime timer_settime timer_getoverrun timerfd_create timerfd_settime timerfd_gettime""",
    ),
    _group(
        "waiting",
        "Locks and event loops.",
        """futex futex_waitv eventfd eventfd2 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
        epoll_pwait2 poll ppoll select pselect6""",
    ),
    _group(
        "sockets",
        "On sockets that could be made (below): between processes of the run, and on a loopback of its own.",
        """bind connect listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg getsockopt
        setsockopt getsockname getpeername shutdown""",
    ),
)
DENIED = (
    _group("other processes", "Reading, changing or standing in for another process.",
           """ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_open pidfd_getfd
           pidfd_send_signal kcmp"""),
    _group("namespaces and roots", "In a namespace of one's own one reaches kernel code that else only root does.",
           "unshare setns chroot pivot_root"),
    _group("mounts", "Old and new; and ways to look at those of others.",
           """mount umount2 mount_setattr move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick
           statmount listmount sysfs ustat"""),
    _group("files past their path", "By handle, between pipes, watching a whole file system, executing a descriptor.",
           """open_by_handle_at name_to_handle_at fanotify_init fanotify_mark splice tee vmsplice execveat quotactl
           quotactl_fd lookup_dcookie sync fchmodat2 setxattrat getxattrat listxattrat removexattrat cachestat"""),
    _group("kernel machinery", "Large, young or privileged parts of the kernel that no run needs.",
           """bpf perf_event_open userfaultfd kexec_load kexec_file_load init_module finit_module delete_module
           create_module get_kernel_syms query_module seccomp landlock_add_rule landlock_create_ruleset
           landlock_restrict_self lsm_get_self_attr lsm_set_self_attr lsm_list_modules security syslog acct
           vhangup uselib _sysctl"""),
    _group("keys", "Kept per user id, not per container.", "keyctl add_key request_key"),
    _group("asynchronous I/O", "The old kind, with contexts of the kernel beside the process; no library here uses it.",
           "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents"),
    _group("memory for experts", "Segments of the processor, memory hidden from the kernel, placement, locking all.",
           """memfd_secret modify_ldt pkey_alloc pkey_free pkey_mprotect remap_file_pages mlockall munlockall mbind
           get_mempolicy set_mempolicy set_mempolicy_home_node migrate_pages move_pages mseal map_shadow_stack
           set_thread_area get_thread_area"""),
    _group("messages and memory by number", "System V and POSIX queues: they outlive the process that made them.",
           """shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open
           mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr"""),
    _group("ids and capabilities", "A run has one user and keeps it.",
           "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset"),
    _group("the machine", "Its clock, name, swap, ports, power.",
           """settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname swapon swapoff reboot
           iopl ioperm"""),
    _group("newer than the list", "Nobody needs them yet.", "futex_wake futex_wait futex_requeue"),
    _group("gone from the kernel", "Numbers without a call.",
           """afs_syscall tuxcall getpmsg putpmsg vserver nfsservctl epoll_ctl_old epoll_wait_old"""),
)  # fmt: skip
"""For readers only: what is in no group is refused all the same."""
FALLING_BACK = _group(
    "not there",
    "Answered ENOSYS, so that libc starts threads by `clone`, whose flags can be looked at, and libuv waits by epoll.",
    "clone3 io_uring_setup io_uring_enter io_uring_register",
)
BY_ARGUMENT: Mapping[str, str] = {
    "clone": "without any namespace flag",
    "socket": "UNIX, INET, INET6, and NETLINK for routes alone (gloo and libc list interfaces by it). One rule for "
    "each, and never `not equal`: a number with a bit beyond the 32nd is another to the filter, the same to the kernel",
    "socketpair": "UNIX alone",
    "personality": "asking for it, and the usual one",
}


def profile() -> dict[str, Any]:
    """The profile as the engine takes it."""
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": EPERM,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": list(_rules()),
    }


def _rules() -> Iterator[dict[str, Any]]:
    yield _rule(*(call for group in ALLOWED for call in group.calls))
    yield _rule("clone", {"index": 0, "value": NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"})
    yield _rule(*FALLING_BACK.calls) | {"action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS}
    for family in (UNIX, INET, INET6):
        yield _rule("socket", _is(0, family))
    yield _rule("socket", _is(0, NETLINK), _is(2, ROUTE))
    yield _rule("socketpair", _is(0, UNIX))
    for value in (0, ANY_QUERY):
        yield _rule("personality", _is(0, value))


def _rule(*parts: str | dict[str, Any]) -> dict[str, Any]:
    """Allows the named calls if all of the given argument conditions hold."""
    names = sorted(part for part in parts if isinstance(part, str))
    arguments = [part for part in parts if isinstance(part, dict)]
    return {"names": names, "action": "SCMP_ACT_ALLOW"} | ({"args": arguments} if arguments else {})


def _is(index: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}


def text() -> str:
    """The content of seccomp.json."""
    return json.dumps(profile(), indent=1) + "\n"


def table() -> str:
    """The table for docs/security.md."""
    lines = ["| allowed | calls | why |", "|---|---|---|"]
    lines += [f"| {group.name} | {len(group.calls)} | {group.why} |" for group in ALLOWED]
    lines += [f"| `{call}` | | {when}. |" for call, when in BY_ARGUMENT.items()]
    lines += ["", "| refused | why | which |", "|---|---|---|"]
    lines += [f"| {group.name} | {group.why} | {', '.join(group.calls)} |" for group in (FALLING_BACK, *DENIED)]
    return "\n".join([*lines, ""])
