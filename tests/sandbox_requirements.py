"""Requirements for containers that run submissions, written independently from the CIS Docker benchmark and sandbox.md.

They are checked on the body of the engine's create call or on its answer to `inspect`: both have the same shape.
Nothing here depends on how our options are made. `violations` names the requirements that a container does not meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.limits import ResourceClass

Body = Mapping[str, Any]
TMP = "/tmp"  # inside the sandbox
SECRETS = re.compile(r"token|secret|password|redis|mlflow|://", re.IGNORECASE)
ENVIRONMENT = {
    "PATH", "HOME", "USER", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR",
    "TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TRITON_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR", "LOGNAME",
    "HF_HUB_OFFLINE", "OMP_NUM_THREADS", "LEADERSBOARD_JOB", "LEADERSBOARD_DATA",
    "NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES",
}  # fmt: skip
CACHES = {"TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"}
LABELS = {
    f"leadersboard.{name}" for name in ("site", "job", "attempt", "claim", "user", "role", "slot", "kept_seconds")
}
FOREIGN = (
    "Devices", "DeviceCgroupRules", "CapAdd", "Binds", "VolumesFrom", "Links", "GroupAdd", "Sysctls", "PortBindings",
    "ExtraHosts", "Dns", "DeviceRequests", "CgroupParent", "Privileged", "PublishAllPorts", "OomKillDisable",
    "AutoRemove", "StorageOpt", "Annotations",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One requirement, with its section in the CIS benchmark if it has one, else in sandbox.md."""

    name: str
    section: str
    holds: Callable[[Body, Body, ResourceClass], bool]


def violations(body: Body, limits: ResourceClass) -> list[str]:
    """Names of the rules that a run without a device and without packages of its own violates."""
    host = body["HostConfig"]
    return [rule.name for rule in RULES if not _safely(rule, body, host, limits)]


def _safely(rule: Rule, body: Body, host: Body, limits: ResourceClass) -> bool:
    try:
        return bool(rule.holds(body, host, limits))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _config(body: Body) -> Body:
    """The container's configuration; `inspect` has it one level deeper than the create call."""
    found: Body = body.get("Config", body)
    return found


def _environment(body: Body) -> dict[str, str]:
    return dict(item.split("=", 1) for item in _config(body)["Env"])


def _environment_is_ours(body: Body, _host: Body, limits: ResourceClass) -> bool:
    found = _environment(body)
    values = {name: found[name] for name in ENVIRONMENT}
    return (
        set(found) == ENVIRONMENT
        and values["HOME"] == values["TMPDIR"] == values["MPLCONFIGDIR"] == TMP
        and all(values[name].startswith(f"{TMP}/") for name in CACHES)
        and values["NVIDIA_VISIBLE_DEVICES"] == "void"
        and not values["CUDA_VISIBLE_DEVICES"]
        and values["OMP_NUM_THREADS"] == str(max(1, int(limits.cpus)))
        and values["PYTHONUNBUFFERED"] == values["PYTHONDONTWRITEBYTECODE"] == values["HF_HUB_OFFLINE"] == "1"
        and values["LANG"].endswith("UTF-8")
        and all(folder.startswith(("/opt/venv/", "/usr/", "/bin")) for folder in values["PATH"].split(":"))
        and (values["LEADERSBOARD_JOB"], values["LEADERSBOARD_DATA"]) == ("/config/job.json", "/data")
        and bool(values["USER"])
        and not any(SECRETS.search(text) for text in found.values())
    )


def _mounts(_body: Body, host: Body, _limits: ResourceClass) -> bool:
    """Only the job's own folders are mounted, never their shared parents."""
    found = {mount["Target"]: mount for mount in host["Mounts"]}
    folders = [mount for mount in found.values() if mount["Type"] == "bind"]
    return (
        set(found) == {"/submission", "/config", "/out", "/data"}
        and len(host["Mounts"]) == 4
        and all(mount["ReadOnly"] is True for mount in folders)
        and {mount["Target"] for mount in folders} == {"/submission", "/config", "/data"}
        and all(mount["BindOptions"]["Propagation"] == "rprivate" for mount in folders)
        and all(mount["Source"].count("/") >= 4 and ".." not in mount["Source"] for mount in folders)
    )


def _output(_body: Body, host: Body, limits: ResourceClass) -> bool:
    """The mount repeats the volume's bounds and labels: a lost volume is recreated bounded; the sweeper finds it."""
    (out,) = [mount for mount in host["Mounts"] if mount["Target"] == "/out"]
    options, driver = out["VolumeOptions"], out["VolumeOptions"]["DriverConfig"]
    bounded = f"size={limits.output_bytes},nr_inodes={limits.output_files}," in driver["Options"]["o"]
    in_memory = (driver["Name"], driver["Options"]["type"]) == ("local", "tmpfs")
    found_again = {"leadersboard.site", "leadersboard.job", "leadersboard.claim"} <= set(options["Labels"])
    named = out["Type"] == "volume" and out["Source"].startswith("out-job-")
    return named and options["NoCopy"] is True and bounded and in_memory and found_again


def _user(body: Body, host: Body, _limits: ResourceClass) -> bool:
    found = re.fullmatch(r"(60\d{3}):\1", _config(body)["User"])
    return bool(found) and 60_001 <= int(found[1]) <= 60_999 and not host.get("GroupAdd")


def _seccomp(_body: Body, host: Body, _limits: ResourceClass) -> bool:
    """The seccomp profile is an allow list given inline; no profile and the engine's own are violations."""
    (profile,) = [item.removeprefix("seccomp=") for item in host["SecurityOpt"] if item.startswith("seccomp=")]
    return profile == "<seccomp>" or '"SCMP_ACT_ERRNO"' in profile


def _ulimits(_body: Body, host: Body, limits: ResourceClass) -> bool:
    found = {item["Name"]: (item["Soft"], item["Hard"]) for item in host["Ulimits"]}
    wanted = {"fsize": limits.output_bytes, "nofile": 4096, "core": 0}
    return found == {name: (bound, bound) for name, bound in wanted.items()}  # no nproc limit: it counts per user id


def _tmp(_body: Body, host: Body, limits: ResourceClass) -> bool:
    flags = host["Tmpfs"][TMP].split(",")
    wanted = {"rw", "nosuid", "nodev", "exec", "mode=1777", f"size={limits.tmp_bytes}", "nr_inodes=100000"}
    return set(host["Tmpfs"]) == {TMP, "/job"} and set(flags) == wanted


def _job(_body: Body, host: Body, limits: ResourceClass) -> bool:
    """The copy of the submission is bounded, and belongs to a run's user."""
    flags = set(host["Tmpfs"]["/job"].split(","))
    owner = {flag for flag in flags if re.fullmatch(r"[ug]id=60\d{3}", flag)}
    wanted = {"rw", "nosuid", "nodev", "exec", f"size={limits.job_bytes}", "nr_inodes=100000", "mode=0755"}
    return flags - owner == wanted and len(owner) == 2


RECORD = {"max-size": "337678336", "max-file": "2", "compress": "false"}
"""All that a run may print, plus the driver's overhead for each line."""


def _log(_body: Body, host: Body, _limits: ResourceClass) -> bool:
    log = host["LogConfig"]
    return log["Type"] == "local" and log["Config"] == RECORD


def _command(body: Body, _host: Body, _limits: ResourceClass) -> bool:
    config = _config(body)
    shell, option, script, *arguments = config["Cmd"]
    return (
        not config.get("Entrypoint")
        and (shell, option, script.splitlines()[-1]) == ("sh", "-c", 'exec python "$@"')
        and "main.py" not in script
        and arguments[-5:] == ["main.py", "--config", "config.yaml", "--output", "/out"]
    )


def _labels(body: Body, _host: Body, _limits: ResourceClass) -> bool:
    found = _config(body)["Labels"]
    return set(found) >= LABELS and found["leadersboard.role"] == "job"


RULES = [
    Rule(name="not privileged, nothing foreign", section="CIS 5.5, 5.18",
         holds=lambda _b, host, _l: not any(host.get(name) for name in FOREIGN)),
    Rule(name="no network", section="CIS 5.10, H1", holds=lambda _b, host, _l: host["NetworkMode"] == "none"),
    Rule(name="processes of its own", section="CIS 5.16", holds=lambda _b, host, _l: not host.get("PidMode")),
    Rule(name="shared memory of its own", section="CIS 5.17, H20",
         holds=lambda _b, host, _l: host["IpcMode"] == "private"),
    Rule(name="control groups of its own", section="H13", holds=lambda _b, host, _l: host["CgroupnsMode"] == "private"),
    Rule(name="names of its own", section="CIS 5.21", holds=lambda _b, host, _l: not host.get("UTSMode")),
    Rule(name="users not the host's", section="CIS 5.31", holds=lambda _b, host, _l: host.get("UsernsMode") != "host"),
    Rule(name="read-only root", section="CIS 5.13", holds=lambda _b, host, _l: host["ReadonlyRootfs"] is True),
    Rule(name="a user of its own", section="CIS 4.1, e1", holds=_user),
    Rule(name="no capabilities", section="CIS 5.4", holds=lambda _b, host, _l: host["CapDrop"] == ["ALL"]),
    Rule(name="no new privileges", section="CIS 5.26",
         holds=lambda _b, host, _l: "no-new-privileges:true" in host["SecurityOpt"]),
    Rule(name="a list of system calls", section="CIS 5.22, e2", holds=_seccomp),
    Rule(name="no other security option", section="CIS 5.2", holds=lambda _b, host, _l: len(host["SecurityOpt"]) == 2),
    Rule(name="memory", section="CIS 5.11", holds=lambda _b, host, limits: host["Memory"] == limits.memory_bytes),
    Rule(name="no swap", section="CIS 5.11, H24", holds=lambda _b, host, _l: host["MemorySwap"] == host["Memory"] > 0),
    Rule(name="CPU", section="CIS 5.12",
         holds=lambda _b, host, limits: host["NanoCpus"] == int(limits.cpus * 10**9) and not host.get("CpuPeriod")),
    Rule(name="processes bounded", section="CIS 5.29", holds=lambda _b, host, limits: host["PidsLimit"] == limits.pids),
    Rule(name="shared memory sized", section="H26", holds=lambda _b, host, limits: host["ShmSize"] == limits.shm_bytes),
    Rule(name="/tmp sized and harmless", section="H26", holds=_tmp),
    Rule(name="/job sized and its own", section="H26", holds=_job),
    Rule(name="ulimits", section="CIS 5.19, H36, H43", holds=_ulimits),
    Rule(name="ends before the platform", section="e1", holds=lambda _b, host, _l: host["OomScoreAdj"] == 500),
    Rule(name="mounts", section="CIS 5.6, 5.20, 5.32, H48", holds=_mounts),
    Rule(name="bounded output", section="e3", holds=_output),
    Rule(name="bounded log", section="H40", holds=_log),
    Rule(name="never restarted", section="CIS 5.15", holds=lambda _b, host, _l: host["RestartPolicy"]["Name"] == "no"),
    Rule(name="an init", section="H31, H33", holds=lambda _b, host, _l: host["Init"] is True),
    Rule(name="a fixed name inside", section="H14", holds=lambda body, _h, _l: _config(body)["Hostname"] == "job"),
    Rule(name="no input, no terminal", section="BOX-2",
         holds=lambda body, _h, _l: not (_config(body)["OpenStdin"] or _config(body)["Tty"])),
    Rule(name="the command", section="BOX-2", holds=_command),
    Rule(name="the folder it starts in", section="runc CVE-2024-21626",
         holds=lambda body, _h, _l: _config(body)["WorkingDir"] == "/job"),
    Rule(name="the image by its content", section="CIS 5.27",
         holds=lambda body, _h, _l: _config(body)["Image"].startswith("sha256:")),
    Rule(name="the environment", section="BOX-3, H14", holds=_environment_is_ours),
    Rule(name="labels to find it by", section="BOX-10, BOX-11", holds=_labels),
]  # fmt: skip
