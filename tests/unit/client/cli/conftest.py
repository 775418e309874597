"""The command, as a user runs it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import client.api.client
import client.api.pauses
import client.api.signing
import client.cli.job_events
from client.cli.command import build
from tests.unit.client.fake_platform import Platform

Run = Callable[..., Result]


@pytest.fixture
def run(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command as a signed-in user, against the platform of the test."""
    monkeypatch.setattr(client.api.client, "open_http", platform.http)
    monkeypatch.setattr(client.api.client, "open_async_http", platform.async_http)
    monkeypatch.setattr(client.api.signing, "open_http", platform.http)
    monkeypatch.setattr(client.cli.job_events, "PERIOD", 0.0)
    monkeypatch.setattr(client.api.pauses, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(client.api.pauses, "LONGEST_PAUSE", 0.0)
    for name, value in {
        "API_URL": "http://api.test",
        "LEADERSBOARD_TOKEN": "t",
        "XDG_CONFIG_HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return lambda *words, **more: CliRunner().invoke(build(), list(words), **more)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A submission."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "main.py").write_text("print(1)")
    return str(tmp_path / "mine")
