"""Settings: unsafe values stop the start."""

import pytest
from pydantic import ValidationError

from ui.settings import Settings

pytestmark = pytest.mark.unit

GOOD = "0f9e8d7c6b5a49382716051423f0e1d2"


def test_a_good_secret_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of the environment are read, and the secret does not show."""
    monkeypatch.setenv("UI_SECRET", GOOD)
    monkeypatch.setenv("API_URL", "http://gateway:8010/")
    settings = Settings()
    assert settings.api_url == "http://gateway:8010"
    assert GOOD not in repr(settings)


@pytest.mark.parametrize("secret", ["", "short", "a" * 64, "change-me-change-me-change-me-change-me", GOOD[:31]])
def test_a_weak_secret_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Empty, short, repeated or placeholder secrets do not start."""
    monkeypatch.setenv("UI_SECRET", secret)
    with pytest.raises(ValidationError):
        Settings()


def test_without_a_secret_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no default secret."""
    monkeypatch.delenv("UI_SECRET", raising=False)
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("name", ["API_URL", "API_PUBLIC_URL", "MLFLOW_URL"])
@pytest.mark.parametrize("url", ["javascript:alert(1)", "gateway:8010", "http://user:pass@host", ""])
def test_what_is_no_web_address_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    """Addresses that would become links or calls are http or https, without credentials."""
    monkeypatch.setenv("UI_SECRET", GOOD)
    monkeypatch.setenv(name, url)
    with pytest.raises(ValidationError):
        Settings()
