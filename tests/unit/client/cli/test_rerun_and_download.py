"""`rerun` and `download`."""

from pathlib import Path

import httpx2
import pytest

from tests.unit.client.cli.answers import accepts
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import Platform, job, problem

pytestmark = pytest.mark.unit


def test_rerun_prints_the_new_job_alone(run: Run, platform: Platform) -> None:
    """JOB-2: a script gets the new job's id; with --follow it is watched to its end."""
    accepts(platform, job(job_id="j1", status="completed", phase="done"))
    platform.answers("POST", "/jobs/j0/rerun", httpx2.Response(202, json=job(rerun_of="j0")))
    assert run("rerun", "j0").stdout == "j1\n"
    done = run("rerun", "j0", "--follow")
    assert (done.exit_code, "Rank 1 of 1" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "saved"), [([], ["a b/é.png", "notes.txt"]), (["--artifact", "notes.txt"], ["notes.txt"])]
)
def test_download_saves_files(run: Run, platform: Platform, tmp_path: Path, words: list[str], saved: list[str]) -> None:
    """JOB-7: all of a job's files, or one; never over one that is there, and a failure leaves no half of one."""
    files = [{"path": name, "size_bytes": 3} for name in ("a b/é.png", "notes.txt")]
    platform.answers("GET", "/jobs/j1/artifacts", {"job_id": "j1", "items": files})
    for name in ("a b/é.png", "notes.txt"):
        platform.answers("GET", f"/jobs/j1/artifacts/{name}", httpx2.Response(200, content=b"png"))
    into = tmp_path / "here"
    done = run("download", "j1", *words, "--into", str(into))
    assert done.exit_code == 0
    assert [path.relative_to(into).as_posix() for path in sorted(into.rglob("*")) if path.is_file()] == saved
    assert done.stdout.splitlines() == [str(into / name) for name in saved]
    again = run("download", "j1", "--artifact", "notes.txt", "--into", str(into))
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    platform.answers("GET", "/jobs/j1/artifacts/other.txt", problem(404, "not_found", "No."))
    assert run("download", "j1", "--artifact", "other.txt", "--into", str(into)).exit_code == 3
    assert not [path for path in into.rglob("*") if "part" in path.name or "other" in path.name]


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//x", "a/../../x", "."])
def test_download_trusts_no_name(run: Run, platform: Platform, tmp_path: Path, path: str) -> None:
    """A platform that was taken over writes nothing outside the folder."""
    platform.answers("GET", "/jobs/j1/artifacts", {"job_id": "j1", "items": [{"path": path, "size_bytes": 3}]})
    done = run("download", "j1", "--into", str(tmp_path / "deep" / "here"))
    assert (done.exit_code, "no name of a file" in done.stderr) == (2, True)
    assert not list((tmp_path / "deep").rglob("x")) if (tmp_path / "deep").exists() else True
