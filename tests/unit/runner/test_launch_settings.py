"""The settings of a run at its launch, read by other versions of the runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.domain.limits import SMALL
from runner.launch_settings import LaunchSettings, LogLimits
from runner.run_folder import RunFolder

pytestmark = pytest.mark.unit

SETTINGS = LaunchSettings(limits=SMALL, image="i", log=LogLimits(max_bytes=1, max_lines=2, kept_bytes=3))


def test_settings_of_a_newer_version_are_read_by_an_older_one(tmp_path: Path) -> None:
    """Two versions on one engine: what this one does not know is left out."""
    folder = RunFolder.make(tmp_path / "job-mark")
    folder.agree(SETTINGS)
    told = json.loads((folder.path / "settings").read_text())
    told |= {"more": 1, "limits": told["limits"] | {"disks": 2}, "log": told["log"] | {"more": 1}}
    (folder.path / "settings").write_text(json.dumps(told))
    assert folder.settings == SETTINGS


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"limits": 1}', '{"limits": {"name": "small"}}', "\0"])
def test_settings_that_cannot_be_read_stop_nothing(tmp_path: Path, text: str) -> None:
    """Then the rule for older versions holds."""
    folder = RunFolder.make(tmp_path / "job-mark")
    (folder.path / "settings").write_text(text)
    assert folder.settings is None
