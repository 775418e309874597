"""Settings: read from the environment, unsafe values refused, secrets never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_settings import SettingsError

from core.domain.limits import MEDIUM, SMALL
from core.settings import Settings, parse_token

pytestmark = pytest.mark.unit

TOKEN = "0123456789abcdef"


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_defaults_are_those_that_were_asked_for(environ: pytest.MonkeyPatch) -> None:
    """JOB-4, BOX-6: ten jobs an hour, one running, two classes, and nobody who may enter."""
    found = Settings()
    assert (found.user_limits.jobs_per_hour, found.user_limits.concurrent_running) == (10, 1)
    assert found.user_limits.queue_when_over is False
    assert found.resource_classes == (SMALL, MEDIUM)
    assert found.api_tokens == ()


def test_reads_lists_from_the_environment(environ: pytest.MonkeyPatch) -> None:
    """Comma-separated, blanks and empty parts aside."""
    environ.setenv("API_TOKENS", f" ada:{TOKEN} , bob:{TOKEN[::-1]},, ")
    environ.setenv("ADMIN_USERS", "root, ada")
    environ.setenv("CORS_ORIGINS", "https://a.example,https://b.example")
    found = Settings()
    assert [(item.user_id, item.token) for item in found.api_tokens] == [("ada", TOKEN), ("bob", TOKEN[::-1])]
    assert found.admin_users == ("root", "ada")
    assert found.cors_origins == ("https://a.example", "https://b.example")


def test_an_empty_variable_is_an_absent_one(environ: pytest.MonkeyPatch) -> None:
    """`API_TOKENS=` lets nobody in, and `LEASE_SECONDS=` is the default."""
    environ.setenv("API_TOKENS", "")
    environ.setenv("LEASE_SECONDS", "")
    assert Settings().api_tokens == ()
    assert Settings().lease_seconds == 30


def test_a_job_over_the_limit_can_wait(environ: pytest.MonkeyPatch) -> None:
    """JOB-4: OVER_LIMIT=queue."""
    environ.setenv("OVER_LIMIT", "queue")
    assert Settings().user_limits.queue_when_over is True


def test_classes_are_configuration(environ: pytest.MonkeyPatch) -> None:
    """BOX-6: JSON in the environment; a name that is none answers nothing."""
    environ.setenv("RESOURCE_CLASSES", f"[{SMALL.model_copy(update={'name': 'tiny'}).model_dump_json()}]")
    assert Settings().resource_class("tiny").cpus == 2
    assert Settings().resource_class("small") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://a.example,*"),
        ("API_TOKENS", "ada:short"),
        ("API_TOKENS", "short"),
        ("API_TOKENS", f":{TOKEN}"),
        ("API_TOKENS", f"../x:{TOKEN}"),
        ("API_TOKENS", f"a b:{TOKEN}"),
        ("API_TOKENS", f"{'a' * 65}:{TOKEN}"),
        ("API_TOKENS", f"ada:{TOKEN},bob:{TOKEN}"),
        ("API_TOKENS", f"ada:{TOKEN} with blank"),
        ("API_TOKENS", f"ada: {TOKEN}"),
        ("API_TOKENS", f"ada:{TOKEN}é"),
        ("ENGINE_SOCKET", "tcp://engine:2375"),
        ("ENGINE_SOCKET", "/run/docker.sock"),
        ("RESOURCE_CLASSES", "[]"),
        ("RESOURCE_CLASSES", f"[{SMALL.model_dump_json()},{SMALL.model_dump_json()}]"),
        ("RESOURCE_CLASSES", "small"),
        ("OVER_LIMIT", "ignore"),
        ("MAX_SUBMISSIONS_PER_HOUR", "0"),
        ("MAX_CONCURRENT_RUNNING", "-1"),
        ("LEASE_SECONDS", "0"),
        ("SWEEP_SECONDS", "0"),
        ("MIN_FREE_BYTES", "-1"),
        ("MAX_LOG_BYTES", "0"),
        ("UPLOAD", '{"ratio": 0}'),
        ("UPLOAD", '{"request_bytes": -1}'),
        ("UPLOAD", '{"typo": 1}'),
    ],
)
def test_refuses_unsafe_values_at_the_start(environ: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Style 8: a process with such a setting does not start."""
    environ.setenv(name, value)
    with pytest.raises((ValidationError, SettingsError)):
        Settings()


@pytest.mark.parametrize(
    "value", ["ada:short-secret", "short-secret", "ada:long-secret-0123456,bob:long-secret-0123456"]
)
def test_a_refusal_does_not_tell_the_secret(environ: pytest.MonkeyPatch, value: str) -> None:
    """AUT-4: the error that a start prints holds no token."""
    environ.setenv("API_TOKENS", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "secret" not in str(caught.value)
    assert "API_TOKENS" in str(caught.value)


def test_no_secret_is_shown(environ: pytest.MonkeyPatch) -> None:
    """AUT-4: neither the settings nor a token print their secrets."""
    environ.setenv("API_TOKENS", f"ada:{TOKEN}")
    assert TOKEN not in repr(Settings()) + str(Settings()) + repr(Settings().api_tokens)


def test_a_bare_token_is_nobodys_name() -> None:
    """AUT-2: its user is named after its hash, the same at each start, and never after the token."""
    found = parse_token(TOKEN)
    assert found == parse_token(f" {TOKEN} ")
    assert found.token == TOKEN
    assert found.user_id.startswith("token-")
    assert TOKEN[:4] not in found.user_id
    assert parse_token(TOKEN[::-1]).user_id != found.user_id


@given(st.text(max_size=80))
def test_a_token_is_read_or_refused(text: str) -> None:
    """Whatever passes has a name that may be shown and a token that is long enough."""
    try:
        found = parse_token(text)
    except ValueError:
        return
    assert len(found.token) >= 16
    assert found.user_id.isascii()
    assert len(found.user_id) <= 64


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("redis://redis:6379/0", "redis://:p%2Fw@redis:6379/0"),
        ("redis://ann@redis:6379/3", "redis://ann:p%2Fw@redis:6379/3"),
        ("rediss://:own@redis/1", "rediss://:own@redis/1"),
    ],
)
def test_redis_is_asked_with_the_password_and_never_shown_with_it(address: str, found: str) -> None:
    """DOR-7: an address that has one of its own keeps it; no printed settings have either."""
    settings = Settings(redis_url=address, redis_password="p/w")
    assert settings.ledger_url == found
    assert "p/w" not in repr(settings)
    assert "own" not in repr(settings).replace("tracking_artifacts='own'", "")
