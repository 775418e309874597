"""The UI's settings, read once. Unsafe values are refused at start."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_SECRET = 32
PLACEHOLDERS = ("change", "example", "secret", "replace")


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
        raise ValueError("must be an http or https address without user and password")
    return url.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """The UI's settings, from environment variables of the same names."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    api_url: WebAddress = "http://localhost:8010"
    """The API's address for this process."""
    api_public_url: WebAddress = "http://localhost:8010"
    """The API's address for browsers, for its documentation."""
    mlflow_url: WebAddress = "http://localhost:5010"
    """The address of MLflow's pages for browsers: `mlflow_listen_port`, or a proxy in front of it."""
    listen_on: str = "127.0.0.1"
    listen_port: int = Field(default=8501, gt=0, lt=65536)
    """The port of the UI's own pages."""
    mlflow_listen_port: int = Field(default=5010, gt=0, lt=65536)
    """The port of MLflow's pages, for signed-in users."""
    ui_secret: SecretStr
    """Signs the session cookie."""
    session_hours: float = Field(default=12.0, gt=0, le=24 * 30)
    max_sessions: int = Field(default=10_000, gt=0)

    @field_validator("ui_secret")
    @classmethod
    def _hard_to_guess(cls, secret: SecretStr) -> SecretStr:
        words = secret.get_secret_value()
        if len(words) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters; `openssl rand -hex 32` makes one")
        if len(set(words)) < SHORTEST_SECRET // 4 or words.lower().startswith(PLACEHOLDERS):
            raise ValueError("looks like a placeholder; `openssl rand -hex 32` makes a good one")
        return secret
