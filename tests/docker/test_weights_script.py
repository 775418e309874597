"""`scripts/weights` on the tests' own project: a file goes in, is listed, summed up and removed again."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, service

pytestmark = pytest.mark.docker


def weights(*words: str) -> tuple[int, str]:
    command = ["scripts/weights", *words, "--project", service("LEADERSBOARD_TEST_PROJECT")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_an_admin_adds_lists_and_removes(tmp_path: Path, fresh_name: str) -> None:
    """FLD-6: what is refused leaves nothing; a file given by a link is the file."""
    blob, link, folder = tmp_path / "blob", tmp_path / f"{fresh_name}.pth", tmp_path / f"{fresh_name}-net"
    blob.write_bytes(b"tensors")
    link.symlink_to(blob)
    folder.mkdir()
    (folder / "out").symlink_to("/etc/passwd")
    status, said = weights("add", str(folder))
    assert (status, "'out' is a link" in said) == (1, True), said
    status, said = weights("add", str(link))
    assert (status, "load_state_dict_from_url" in said) == (0, True), said
    try:
        assert weights("add", str(link))[0] == 1
        assert f"{fresh_name}.pth  0.0 MB  checkpoint" in weights("list")[1]
        assert fresh_name + "-net" not in weights("list")[1]
        digest = hashlib.sha256(b"tensors").hexdigest()
        assert weights("sums", link.name) == (0, f"{digest}  hub/checkpoints/{link.name}\n")
    finally:
        assert weights("remove", link.name)[0] == 0
    assert fresh_name not in weights("list")[1]
