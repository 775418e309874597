"""`rerun` and `download`."""

from pathlib import Path

import httpx2
import pytest

from tests.odd_names import ODD_NAMES
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
    both = run("download", "j1", "--into", str(into))
    assert (both.exit_code, (into / "a b/é.png").is_file()) == (2, True)
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


def test_download_keeps_every_name(run: Run, platform: Platform, tmp_path: Path) -> None:
    """FLD-7: a list's names are asked for and saved as they are, whatever script or sign."""
    names = sorted({name for name in ODD_NAMES if name != "file:x.txt"})
    platform.answers("GET", "/jobs/j1/artifacts", {"items": [{"path": name, "size_bytes": 3} for name in names],
                                                   "job_id": "j1", "total": len(names)})  # fmt: skip
    for name in names:
        platform.answers("GET", f"/jobs/j1/artifacts/{name}", httpx2.Response(200, content=name.encode()))
    done = run("download", "j1", "--into", str(tmp_path / "here"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert {name: (tmp_path / "here" / name).read_text() for name in names} == {name: name for name in names}
    assert len(done.stdout.splitlines()) == len(names)


def test_download_says_that_a_list_is_cut(run: Run, platform: Platform, tmp_path: Path) -> None:
    """FLD-7: how many files there are, and how to get the others."""
    answer = {"job_id": "j1", "items": [{"path": "roc.png", "size_bytes": 3}], "total": 1725}
    platform.answers("GET", "/jobs/j1/artifacts", answer)
    platform.answers("GET", "/jobs/j1/artifacts/roc.png", httpx2.Response(200, content=b"png"))
    done = run("download", "j1", "--into", str(tmp_path))
    assert done.exit_code == 0
    assert "1 of 1,725 files: curves, maps and logs first." in done.stderr
    assert "--artifact PATH" in done.stderr


def test_one_file_that_cannot_be_saved_keeps_no_other_from_it(run: Run, platform: Platform, tmp_path: Path) -> None:
    """Those that could be are there, and the exit code says that not all are."""
    (tmp_path / "b.txt").write_text("mine")
    files = [{"path": name, "size_bytes": 3} for name in ("a.txt", "b.txt", "c.txt")]
    platform.answers("GET", "/jobs/j1/artifacts", {"job_id": "j1", "items": files})
    for name in ("a.txt", "c.txt"):
        platform.answers("GET", f"/jobs/j1/artifacts/{name}", httpx2.Response(200, content=b"new"))
    done = run("download", "j1", "--into", str(tmp_path))
    assert (done.exit_code, "b.txt is there already" in done.stderr) == (2, True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.txt": "new",
        "b.txt": "mine",
        "c.txt": "new",
    }


def test_download_makes_no_hidden_file_beside_other_files(run: Run, platform: Platform, tmp_path: Path) -> None:
    """Programs would read a run's `.profile` in a home folder; in a folder that the command makes, no program does."""
    platform.answers("GET", "/jobs/j1/artifacts", {"job_id": "j1", "items": [{"path": ".profile", "size_bytes": 3}]})
    platform.answers("GET", "/jobs/j1/artifacts/.profile", httpx2.Response(200, content=b"rm"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine").touch()
    done = run("download", "j1", "--into", str(tmp_path / "home"))
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"mine", "_.profile"}
    assert "the run called it .profile" in done.stderr
    run("download", "j1", "--into", str(tmp_path / "new"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".profile"]


RERUN = {
    "of": "j0", "holds": False, "words": "The result does not hold\x1b[2J: image_auc.", "a_newer_field": 1,
    "metrics": [
        {"name": "image_auc", "old": 0.9, "new": 0.30000000000000004, "difference": -0.6, "agreement": "differs",
         "tolerance": 0.001},
        {"name": "time_ms", "old": None, "new": 3.0, "difference": None, "agreement": "missing", "tolerance": None},
        {"name": "pixel_auc", "old": 0.5, "new": 0.5001, "difference": 0.0001, "agreement": "within",
         "tolerance": 0.001},
    ],
    "origins": [{"part": "libraries.torch", "old": "2.14.0", "new": None}],
}  # fmt: skip


def test_results_and_status_say_whether_a_rerun_holds(run: Run, platform: Platform) -> None:
    """Each metric old and new with all its digits; an older platform, and a job that repeats none, say nothing."""
    platform.answers("GET", "/jobs/j1/results", {"job_id": "j1", "rerun": RERUN})
    platform.answers("GET", "/jobs/j1/status", job(status="completed", rerun_of="j0"))
    for command in ("results", "status"):
        shown = run(command, "j1").stdout
        assert "Repeats job j0" in shown
        assert "The result does not hold: image_auc." in shown
        assert "0.30000000000000004" in shown
        assert "missing (does not count)" in shown
        assert "within 0.001" in shown
        assert "libraries.torch: 2.14.0 → not noted" in shown
        assert "\x1b" not in shown
    platform.answers("GET", "/jobs/j1/results", {"job_id": "j1"})
    assert "Repeats" not in run("results", "j1").stdout
    platform.answers("GET", "/jobs/j1/status", job(status="running", rerun_of="j0"))
    asked = len(platform.asked)
    assert "Repeats" not in run("status", "j1").stdout
    assert len(platform.asked) == asked + 1, "the results of a job that runs are not asked for"
