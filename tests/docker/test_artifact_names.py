"""Files of a real run come out of the engine under their names, whatever script or sign (FLD-7)."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.artifact_order import chosen
from core.ports.tracking import Result, RunRef
from runner.engine.docker_engine import DockerEngine
from tests.odd_names import ODD_NAMES
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker


def recorded(runner: TwinRunner[DockerEngine], program: str) -> tuple[dict[str, str], Result, str]:
    """The files of a run by name, its result, and its log."""
    found: dict[str, str] = {}
    record = runner.tracking.record

    def reading(result: Result, **asked: Any) -> RunRef:
        folder = result.artifacts
        assert folder is not None
        files = (path for path in folder.rglob("*") if path.is_file())
        found.update({path.relative_to(folder).as_posix(): path.read_text(errors="replace") for path in files})
        return record(result, **asked)

    runner.tracking.record = reading  # type: ignore[method-assign]
    job = runner.run(runner.claim(GOOD + program))
    assert job.state == "completed", runner.log_of(job)
    log = f"logs/{job.job_id}.log"
    assert found.pop(log)
    assert found.pop("leadersboard/config.json")
    _ref, result = runner.tracking.results[job.job_id]
    return found, result, runner.log_of(job)


def test_every_name_is_kept(runner: TwinRunner[DockerEngine]) -> None:
    program = (
        f"\nimport os, pathlib\nfor name in {ODD_NAMES!r}:\n"
        "    path = pathlib.Path('/out', name); path.parent.mkdir(parents=True, exist_ok=True); path.write_text(name)\n"
        "for name in (b'cut\\xff', b'a\\nb', b'a\\x1b[31m'): open(b'/out/' + name, 'w').close()\n"
        "os.symlink('/etc/passwd', '/out/a link')\n"
    )
    found, result, log = recorded(runner, program)
    assert found.pop("curves/roc.png")
    assert found == {name: name for name in ODD_NAMES}
    assert {file.path for file in result.files} >= set(ODD_NAMES)
    assert "'cut\\udcff' was left out: its name must be UTF-8." in log
    assert "'a\\nb' was left out: its name must not contain control characters." in log
    assert "'a link' was left out: it is a link" in log


def test_a_run_with_1725_maps_shows_its_curves(runner: TwinRunner[DockerEngine]) -> None:
    program = (
        "\nimport pathlib\npathlib.Path('/out/maps').mkdir()\n"
        "for number in range(1725): pathlib.Path('/out/maps', f'{number:04}.png').write_text('x')\n"
        "pathlib.Path('/out/roc.png').write_text('x'); pathlib.Path('/out/weights.pt').write_text('x')\n"
    )
    found, result, _log = recorded(runner, program)
    assert (len(found), result.file_count, len(result.files)) == (1728, 1730, 1000)
    assert [file.path for file in result.files[:2]] == ["curves/roc.png", "roc.png"]
    assert {"weights.pt", "logs"} <= {file.path.partition("/")[0] for file in result.files}
    assert [file.path for file in result.files] == chosen((file.path for file in result.files), 1000)
