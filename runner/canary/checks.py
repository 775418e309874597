"""Pure rules for the canary's findings, stated again here and not read from the options that they check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.canary import CanaryRow
from core.domain.limits import MIB, ResourceClass
from core.domain.visible_text import visible
from runner.engine import gvisor

UIDS = range(60001, 61000)
ENVIRONMENT = frozenset({
    "PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR", "TORCH_HOME",
    "HF_HUB_OFFLINE", "HF_HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR",
    "USER", "LOGNAME", "PWD", "OMP_NUM_THREADS", "LEADERSBOARD_JOB", "LEADERSBOARD_DATA", "NVIDIA_VISIBLE_DEVICES",
    "CUDA_VISIBLE_DEVICES", "HOSTNAME", "LC_CTYPE",
})  # fmt: skip
DEVICES = frozenset({
    "console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
    "tty", "urandom", "zero",
})  # fmt: skip
MOUNTS = frozenset({
    "/", "/config", "/job", "/submission", "/out", "/tmp", "/proc", "/sys", "/dev", "/dev/pts", "/dev/shm",  # noqa: S108 the sandbox's own
    "/dev/mqueue", "/weights",
    "/dev/console", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/sbin/docker-init", "/usr/sbin/docker-init",
})  # fmt: skip
WRITABLE = frozenset({"/tmp", "/out", "/dev/shm", "/job"})  # noqa: S108 the sandbox's own
LOADABLE = frozenset({"/tmp", "/job"})  # noqa: S108
LEAST_PYTHON = (3, 10)
"""The oldest that runs the programs of ours that an image has to run: lists of packages, installers, probes."""
NOT_TOLD = "not told"
OOM_SCORE = 500
PAGE = 4096
CPU_EDGE_SECONDS = 0.2
"""A time may begin and end in the middle of a period of the limit, each with a whole period's use."""
CPU_GRACE_SECONDS = 0.15
"""CPU seconds that the kernel may hand out too early, and that its count and its clock may be read apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One wall: the expectation in words, and a test of the finding."""

    check: str
    expected: str
    holds: Callable[[Any], bool]
    known: frozenset[str] = frozenset()
    """Names that may be found; only others are shown of a red finding, which would be cut off in a long list."""


def rows(rules: Iterable[Rule], found: Mapping[str, Any], resource_class: str) -> Iterator[CanaryRow]:
    """A row for each rule; a finding that is missing, or of a type that the rule cannot read, is red."""
    for rule in rules:
        value = found.get(rule.check, "nothing: the probe did not get there")
        yield CanaryRow(
            check=rule.check,
            resource_class=resource_class,
            expected=rule.expected,
            found=visible(_shown(rule, value)[:200]),
            ok=rule.check in found and _holds(rule, value),
        )


def _shown(rule: Rule, value: Any) -> str:
    others = [name for name in value if name not in rule.known] if rule.known and isinstance(value, list) else []
    return f"also {others}" if others else str(value)


def _holds(rule: Rule, value: Any) -> bool:
    try:
        return bool(rule.holds(value))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return False


def wall_rules(limits: ResourceClass, runtime: str) -> Iterator[Rule]:
    """Rules for a probe with the exact options of a class."""
    others = {rule.check: rule for rule in _gvisor_rules(limits)} if runtime == gvisor.RUNTIME else {}
    for rule in _wall_rules(limits):
        yield others.get(rule.check, rule)


def _wall_rules(limits: ResourceClass) -> Iterator[Rule]:
    yield Rule(check="network", expected="loopback alone", holds=lambda found: found == ["lo"])
    yield Rule(check="way out", expected="none", holds=lambda found: found in {"ENETUNREACH", "EHOSTUNREACH", "EPERM"})
    yield Rule(check="read-only", expected="refused everywhere", holds=_all_in({"EROFS", "EACCES"}, least=4))
    yield Rule(check="user", expected="one of 60001 to 60999, no other group", holds=_is_slot)
    yield Rule(check="capabilities", expected="none", holds=lambda found: {int(item, 16) for item in found} == {0})
    yield Rule(check="filter", expected="a filter, no new privileges", holds=lambda found: found == ["2", "1"])
    yield Rule(check="system calls", expected="all refused", holds=lambda found: found == {})
    yield Rule(check="hidden", expected="nothing readable", holds=lambda found: found == [])
    yield Rule(check="locked", expected="refused everywhere", holds=_all_in({"EROFS", "EACCES", "EPERM"}, least=0))
    figures = str(_figures(limits))
    yield Rule(check="cgroup", expected=figures, holds=lambda found: _figures_hold(found, limits))
    ulimits = [limits.output_bytes, 4096, 0]
    yield Rule(check="ulimits", expected=str(ulimits), holds=lambda found: found == ulimits)
    yield Rule(check="sizes", expected=str(_sizes(limits)), holds=lambda found: _sizes_hold(found, _sizes(limits)))
    yield Rule(check="mounts", expected="its own alone", holds=_only_own_mounts, known=MOUNTS)
    yield Rule(check="devices", expected="the harmless ones", holds=lambda found: set(found) <= DEVICES, known=DEVICES)
    yield Rule(
        check="environment", expected="ours alone", holds=lambda found: set(found) <= ENVIRONMENT, known=ENVIRONMENT
    )
    yield Rule(check="neighbours", expected="none, below an init", holds=_alone)
    yield Rule(check="shared memory", expected="empty", holds=lambda found: found == [])
    yield Rule(
        check="identity", expected="job, no input, /job", holds=lambda found: found == ["job", "/dev/null", "/job"]
    )
    first = f"{OOM_SCORE}: ends before the platform"
    yield Rule(check="oom score", expected=first, holds=lambda found: found == OOM_SCORE)
    yield from _works_rules()


def _works_rules() -> Iterator[Rule]:
    """What must work: the image may be a site's own, and some engines give /tmp the mode of the image's folder."""
    told = "files are written in /tmp, /out, /dev/shm, /job and HOME"
    yield Rule(check="writable", expected=told, holds=lambda found: _done(found, "written") >= WRITABLE)
    told = "programs are loaded from /tmp and /job"
    yield Rule(check="programs", expected=told, holds=lambda found: _done(found, "loaded") >= LOADABLE)
    told = f"Python {'.'.join(map(str, LEAST_PYTHON))} or newer with its whole standard library"
    yield Rule(check="python", expected=told, holds=_is_whole)
    yield Rule(check="workers", expected="a worker process answers", holds=lambda found: found == "answered")


def _gvisor_rules(limits: ResourceClass) -> Iterator[Rule]:
    """Rules that differ under gVisor, whose kernel has its own figures, devices and names.

    So limits are judged only by running into them. gVisor does not count files in /tmp and /job (docs/gvisor.md).
    """
    yield Rule(check="capabilities", expected="none", holds=lambda found: set(found) - {NOT_TOLD} == {"0" * 16})
    yield Rule(check="filter", expected="a filter", holds=lambda found: found[0] == "2")
    yield Rule(check="cgroup", expected="gVisor's own", holds=lambda _found: True)
    devices = DEVICES | {"fuse", "net"}
    yield Rule(check="devices", expected="gVisor's own", holds=lambda found: set(found) <= devices, known=devices)
    yield Rule(check="identity", expected="job, /job", holds=lambda found: (found[0], found[2]) == ("job", "/job"))
    yield Rule(check="oom score", expected="gVisor's own", holds=lambda _found: True)
    sizes = {path: [size, 0] if path != "/out" else [size, files] for path, (size, files) in _sizes(limits).items()}
    told = f"{sizes}; files in /tmp and /job are not bounded by gVisor"
    yield Rule(check="sizes", expected=told, holds=lambda found: _sizes_hold(found, sizes))


def limit_rules(limits: ResourceClass, runtime: str) -> Iterator[Rule]:
    """Rules for the lowered class in which every limit is run into. A finding below the limit holds, too."""
    told = f"a limit at work, of {limits.cpus:g} CPU seconds a second"
    yield Rule(check="cpu", expected=told, holds=lambda found: _cpu_holds(found, limits))
    folders = {
        "/out": limits.output_bytes,
        "/tmp": limits.tmp_bytes,  # noqa: S108 the sandbox's own
        "/job": limits.job_bytes,
        "/dev/shm": limits.shm_bytes,  # noqa: S108
    }
    for path, bound in folders.items():
        yield Rule(check=f"bytes in {path}", expected=f"at most {bound}", holds=_at_most(bound))
    yield Rule(check="files in /out", expected=f"at most {limits.output_files}", holds=_at_most(limits.output_files))
    yield Rule(check="largest file", expected="EFBIG", holds=lambda found: found == "EFBIG")
    yield Rule(check="descriptors", expected="at most 4096", holds=_at_most(4096))
    yield _threads(limits, runtime)
    yield Rule(check="processes", expected=f"at most {limits.pids}", holds=_at_most(limits.pids))
    yield Rule(
        check="memory", expected=f"ended at {limits.memory_bytes // MIB} MiB", holds=lambda found: found == "ended"
    )


def _threads(limits: ResourceClass, runtime: str) -> Rule:
    """Threads of gVisor's kernel are not the machine's: memory and CPU limits bound what they do (docs/gvisor.md)."""
    if runtime == gvisor.RUNTIME:
        return Rule(check="threads", expected="not bounded by gVisor", holds=lambda found: found > 0)
    return Rule(check="threads", expected=f"at most {limits.pids}", holds=_at_most(limits.pids))


def _cpu_holds(found: Mapping[str, float], limits: ResourceClass) -> bool:
    """The kernel counts periods only of a limit, so a missing one shows on a busy machine, too."""
    most = limits.cpus * (found["seconds"] + CPU_EDGE_SECONDS) + CPU_GRACE_SECONDS
    return found["periods"] > 0 and found["used"] <= most


def _at_most(bound: int) -> Callable[[Any], bool]:
    """A run that was ended by its limit is bounded, too: gVisor's kernel is one of the processes that are counted."""
    return lambda found: found == "ended" or 0 < found <= bound


def _done(found: Mapping[str, str], done: str) -> set[str]:
    """The paths, if it was done at each of them, else none."""
    return set(found) if set(found.values()) == {done} else set()


def _is_whole(found: Mapping[str, Any]) -> bool:
    return tuple(found["version"]) >= LEAST_PYTHON and found["lacks"] == []


def _all_in(errors: set[str], *, least: int) -> Callable[[Any], bool]:
    return lambda found: len(found) >= least and set(found.values()) <= errors


def _is_slot(found: list[int]) -> bool:
    return len(set(found)) == 1 and found[0] in UIDS


def _alone(found: list[Any]) -> bool:
    """Only the probe, its init and at most one more that the runtime adds."""
    return found[0] <= 3 and found[1] in {"docker-init", "tini", "init"}  # noqa: PLR2004 as the docstring counts


def _only_own_mounts(found: list[str]) -> bool:
    return {"/job", "/submission", "/out", "/tmp"} <= set(found) <= MOUNTS  # noqa: S108 the sandbox's own


def _figures(limits: ResourceClass) -> dict[str, int]:
    return {"memory": limits.memory_bytes, "pids": limits.pids, "cpu": int(limits.cpus * 100_000)}


def _figures_hold(found: Mapping[str, str], limits: ResourceClass) -> bool:
    """Swap equals the memory's figure (cgroup version 1 counts both together) or is none at all."""
    near = all(abs(int(found[name]) - wanted) < PAGE for name, wanted in _figures(limits).items())
    swap = found["swap"]
    return near and (swap in {NOT_TOLD, "0"} or abs(int(swap) - limits.memory_bytes) < PAGE)


def _sizes(limits: ResourceClass) -> dict[str, list[int]]:
    return {
        "/out": [limits.output_bytes, limits.output_files],
        "/tmp": [limits.tmp_bytes, 100_000],  # noqa: S108 the sandbox's own
        "/job": [limits.job_bytes, 100_000],
        "/dev/shm": [limits.shm_bytes, 0],  # noqa: S108
    }


def _sizes_hold(found: Mapping[str, list[int]], wanted: Mapping[str, list[int]]) -> bool:
    """Compares bytes of each path, and files where they are bounded (0: they are not)."""
    sizes = all(abs(found[path][0] - size) < PAGE for path, (size, _files) in wanted.items())
    return sizes and all(files in {0, found[path][1]} for path, (_size, files) in wanted.items())
