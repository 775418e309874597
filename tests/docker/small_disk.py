"""Disks that are full as soon as a test wants it; root only."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import docker
import pytest

from tests.conftest import service


class SmallDisk:
    """A filler takes its room and gives it back. A plain folder can be `read_only` and `gone`, too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, *, but_bytes: int) -> None:
        space = os.statvfs(self.path)
        wanted = max(0, space.f_bavail * space.f_frsize - but_bytes)
        with (self.path / ".filler").open("wb") as file:
            if but_bytes:
                os.posix_fallocate(file.fileno(), 0, wanted)
                return
            while _written(file.fileno()):  # what was removed is free once the file system has synced that
                os.fsync(file.fileno())

    def make_room(self) -> None:
        (self.path / ".filler").unlink()

    def take_no_writes(self) -> None:
        """From now on, for everybody on this machine. No file on it may be open for writing."""
        self._remount("ro")

    def take_writes(self) -> None:
        self._remount("rw")

    def _remount(self, how: str) -> None:
        until = time.monotonic() + 120
        while subprocess.run(
            ["mount", "-o", f"remount,{how}", str(self.path)], check=False, capture_output=True
        ).returncode:
            assert time.monotonic() < until, f"{self.path} cannot be remounted {how}"
            time.sleep(0.05)  # a file is being written just now

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """New openings find it read-only. A file that is open for writing keeps the disk itself writable.

        Then, and where the path is a plain folder, it is a view that takes no writes, mounted above it.
        """
        how = ["mount", "-o", "remount,ro", str(self.path)]
        if self.path.is_mount() and not subprocess.run(how, check=False, capture_output=True).returncode:
            try:
                yield
            finally:
                self.take_writes()
            return
        _run(["mount", "--bind", str(self.path), str(self.path)])
        try:
            _run(["mount", "-o", "remount,bind,ro", str(self.path)])
            yield
        finally:
            _run(["umount", "--lazy", str(self.path)])

    @contextmanager
    def gone(self) -> Iterator[None]:
        """An empty folder is in its place meanwhile, as below the mount point of a file system that is not mounted."""
        _run(["mount", "-t", "tmpfs", "tmpfs", str(self.path)])
        try:
            yield
        finally:
            _run(["umount", "--lazy", str(self.path)])

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Whoever writes waits meanwhile, and no signal ends that."""
        _run(["fsfreeze", "--freeze", str(self.path)])
        try:
            yield
        finally:
            _run(["fsfreeze", "--unfreeze", str(self.path)])


def _written(file: int) -> int:
    """How many bytes were still free: all of them are taken afterwards, to the last block."""
    written = 0
    for size in (64 * 1024, 512):
        with suppress(OSError):
            while True:
                written += os.write(file, bytes(size))
    return written


@contextmanager
def small_disk(path: Path, *, size: str, user: int = 0) -> Iterator[SmallDisk]:
    """In memory, mounted at `path`, which is there; seen by this machine's processes and by containers that bind it."""
    _mount("-t", "tmpfs", "-o", f"size={size},uid={user},gid={user}", "tmpfs", str(path))
    try:
        yield SmallDisk(path)
    finally:
        _run(["umount", str(path)])


@contextmanager
def small_shared_disk(path: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """A file system mounted at the same path here and in the inner engine, which sees no mount that we make."""
    image = path.with_name(f"{path.name}.ext4")
    with image.open("wb") as file:
        file.truncate(megabytes * 1024**2)
    _run(["mkfs.ext4", "-q", "-m", "0", str(image)])
    with ExitStack() as opened:
        try:
            device = _run(["losetup", "--find", "--show", str(image)]).strip()
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("only root can make a loop device")
        opened.callback(_run, ["losetup", "--detach", device])
        _mount(device, str(path))
        opened.callback(_run, ["umount", str(path)])
        opened.enter_context(_mounted_in_engine(device, path))
        yield SmallDisk(path)


@contextmanager
def _mounted_in_engine(device: str, path: Path) -> Iterator[None]:
    outer = docker.from_env()
    project = service("LEADERSBOARD_TEST_PROJECT")
    labels = [f"com.docker.compose.project={project}", "com.docker.compose.service=engine"]
    (engine,) = outer.containers.list(filters={"label": labels})

    def inside(*command: str) -> None:
        code, output = engine.exec_run(list(command), user="root", privileged=True)
        assert code == 0, f"{command}: {output.decode()}"

    number = os.minor(Path(device).stat().st_rdev)
    inside("sh", "-c", f"test -b {device} || mknod {device} b 7 {number}")
    inside("mount", device, str(path))
    try:
        yield
    finally:
        inside("umount", str(path))
        outer.close()


def _mount(*options: str) -> None:
    try:
        _run(["mount", *options])
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a small disk")


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
