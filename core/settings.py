"""All settings of the server's processes: read once from the environment, typed; unsafe values are refused."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.domain.account import LoginLimits
from core.domain.job import LONGEST_LEASE_SECONDS
from core.domain.limits import (
    GIB,
    MEDIUM,
    SMALL,
    RequestLimits,
    RequirementsLimits,
    ResourceClass,
    ScoringLimits,
    UploadLimits,
    UserLimits,
)
from core.domain.user import USER_NAME, USER_NAME_RULE

SHORTEST_TOKEN = 16
TOKEN = re.compile(r"[!-~]+")
"""Characters that a header can carry unchanged: visible ASCII."""
LONGEST_RETENTION_DAYS = 90
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ApiToken(BaseModel):
    """One bearer token and its user."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    token: Annotated[str, Field(repr=False)]


def parse_token(text: str) -> ApiToken:
    """`user:token`, or a bare token whose user is named after its hash (never after the token)."""
    user, separator, token = text.strip().partition(":")
    if not separator:
        user, token = f"token-{hashlib.sha256(user.encode()).hexdigest()[:8]}", user
    if len(token) < SHORTEST_TOKEN:
        raise ValueError(f"API_TOKENS: the token of {user!r} is shorter than {SHORTEST_TOKEN} characters")
    if not TOKEN.fullmatch(token):
        raise ValueError(f"API_TOKENS: the token of {user!r} has blanks or characters other than ASCII")
    if not USER_NAME.fullmatch(user):
        raise ValueError(f"API_TOKENS: a user's name {USER_NAME_RULE}")
    return ApiToken(user_id=user, token=token)


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def is_private_enough(url: str) -> bool:
    """Whether content fetched from this address cannot be changed on its way: https, or http on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


class OidcSettings(BaseModel):
    """The OIDC issuer whose bearer tokens are accepted besides ours, and the claims read from them."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    audience: tuple[str, ...]
    user_claim: str
    groups_claim: str
    admin_group: str


class Settings(BaseSettings):
    """Settings are named as in the environment. Sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    redis_url: Annotated[str, Field(repr=False)] = "redis://redis:6379/0"
    redis_password: Annotated[str, Field(repr=False)] = ""
    """Used if the address contains none."""
    mlflow_tracking_uri: str = "http://mlflow:5000"
    mlflow_url: str = "http://localhost:5010"
    """Public address of MLflow's pages behind our sign-in, for links."""
    tracking_artifacts: Annotated[str, Field(pattern="^(own|all)$")] = "own"
    """Which runs' files a user may read there; admins may read all."""

    upload_root: Path = Path("/shared/submissions")
    log_root: Path = Path("/shared/logs")
    job_root: Path = Path("/shared/jobs")
    artifact_root: Path = Path("/shared/artifacts")
    benchmark_root: Path = Path("/shared/benchmarks")
    weights_root: Path = Path("/shared/weights")
    """The site's weights, which every run finds at /weights."""
    labels_root: Path = Path("/shared/labels")
    """Hidden labels, a folder for each benchmark: seen by runners and by the engine, mounted only into scorers."""

    api_tokens: Annotated[tuple[ApiToken, ...], NoDecode] = Field(default=(), repr=False)
    admin_users: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    session_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 12.0
    """How long a login is valid."""
    login_limits: LoginLimits = LoginLimits()
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Proxies whose X-Forwarded-For is trusted when logins are counted: addresses, networks or host names."""
    oidc_issuer: str = ""
    oidc_audience: Annotated[tuple[str, ...], NoDecode] = ()
    oidc_user_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_admin_group: str = ""

    max_submissions_per_hour: Annotated[int, Field(ge=1)] = 10
    max_uploads_per_hour: Annotated[int, Field(ge=1)] = 100
    max_refused_uploads_per_hour: Annotated[int, Field(ge=1)] = 300
    """Per user: refused and interrupted ones, which take no place among the others."""
    max_concurrent_running: Annotated[int, Field(ge=1)] = 1
    max_trials_per_hour: Annotated[int, Field(ge=1)] = 20
    """Per user, one at a time; they take no place among the submissions of the hour."""
    trial_seconds: Annotated[int, Field(ge=5, le=120)] = 60
    """The time limit of a trial, if its class has no shorter one."""
    over_limit: Annotated[str, Field(pattern="^(refuse|queue)$")] = "refuse"
    default_benchmark: str = "synthetic"
    upload: UploadLimits = UploadLimits()
    request: RequestLimits = RequestLimits()
    min_free_bytes: Annotated[int, Field(ge=0)] = 2 * GIB
    min_free_run_bytes: Annotated[int, Field(ge=0)] = GIB
    """Below this much free disk under logs and jobs no run is started; jobs wait."""

    retention_days: Annotated[int, Field(ge=0, le=LONGEST_RETENTION_DAYS)] = LONGEST_RETENTION_DAYS
    """Ended jobs of this age are removed with their files. 0: only ledger records are removed, after 90 days."""

    resource_classes: tuple[ResourceClass, ...] = (SMALL, MEDIUM)
    """The first is the default."""
    engine_socket: str = "unix:///run/engine/docker.sock"
    sandbox_image: str = "leadersboard-sandbox:latest"
    seccomp_profile: Path = Path("seccomp.json")
    sandbox_runtime: Annotated[str, Field(pattern="^(runc|runsc)$")] = "runc"
    """runsc: gVisor, if the engine has it."""
    allow_old_engine: bool = False
    """Take jobs also on an engine that is older than the lowest safe version."""
    gpu_access: Annotated[str, Field(pattern="^(device_requests|cdi)$")] = "device_requests"
    """How a device is given to a run."""
    gpu_busy_bytes: Annotated[int, Field(ge=0)] = GIB
    """A device with more memory in use than this, although no run has it, is not given to any run."""
    scoring: ScoringLimits = ScoringLimits()
    requirements: RequirementsLimits = RequirementsLimits()
    pip_index_url: Annotated[str, Field(repr=False)] = ""
    """Without it no class installs packages; scripts/setup records the index of this machine's pip."""
    pip_extra_index_url: Annotated[str, Field(repr=False)] = ""
    pip_trusted_host: str = ""
    pip_cert: Path | None = None
    """CA bundle, needed if TLS is inspected."""
    package_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Further hosts from which the files of the index are downloaded."""
    lease_seconds: Annotated[float, Field(gt=0, le=LONGEST_LEASE_SECONDS)] = 30.0
    sweep_seconds: Annotated[float, Field(gt=0)] = 5.0
    host_patience_seconds: Annotated[float, Field(ge=1)] = 60.0
    """A runner's host may be silent for so long before its jobs are run again elsewhere."""
    keep_failed_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    """How long the stopped container of a failed run stays in the engine, for an admin to inspect."""
    max_log_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024 * 1024
    max_log_lines: Annotated[int, Field(ge=100)] = 2_000_000
    kept_log_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024

    @field_validator("api_tokens", mode="before")
    @classmethod
    def _tokens(cls, value: object) -> object:
        texts = _listed(value)
        if not isinstance(texts, list):
            return texts
        return [parse_token(text) if isinstance(text, str) else text for text in texts]

    @field_validator("admin_users", "cors_origins", "trusted_proxies", "oidc_audience", "package_hosts", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return _listed(value)

    @model_validator(mode="after")
    def _issuer(self) -> Self:
        if self.oidc_issuer and not is_private_enough(self.oidc_issuer):
            raise ValueError("OIDC_ISSUER: an https address, or http on this machine")
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError("OIDC_AUDIENCE: say whom tokens must be for; without it any token of the issuer opens")
        return self

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if "*" in self.cors_origins:
            raise ValueError("CORS_ORIGINS: name the origins; '*' would let any page act for a logged-in user")
        if not (names := [item.name for item in self.resource_classes]) or len(set(names)) != len(names):
            raise ValueError("RESOURCE_CLASSES: at least one, each with a name of its own")
        tokens = [item.token for item in self.api_tokens]
        if len(set(tokens)) != len(tokens):
            raise ValueError("API_TOKENS: two users have one token")
        if not self.engine_socket.startswith("unix://"):
            raise ValueError("ENGINE_SOCKET: only a unix socket; the engine must not listen on a network")
        return self

    @property
    def audit_days(self) -> int:
        """How long the audit trail is kept: as long as jobs; without retention, as long as the ledger's records."""
        return self.retention_days or LONGEST_RETENTION_DAYS

    @cached_property
    def ledger_url(self) -> str:
        """Redis's address with its password. Pass it only to clients, never put it into a message."""
        parts = urlsplit(self.redis_url)
        if not self.redis_password or parts.password:
            return self.redis_url
        secret = quote(self.redis_password, safe="")
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{parts.username or ''}:{secret}@{host}").geturl()

    @cached_property
    def session_lasts(self) -> timedelta:
        return timedelta(hours=self.session_hours)

    @cached_property
    def oidc(self) -> OidcSettings | None:
        if not self.oidc_issuer:
            return None
        return OidcSettings(
            issuer=self.oidc_issuer,
            audience=self.oidc_audience,
            user_claim=self.oidc_user_claim,
            groups_claim=self.oidc_groups_claim,
            admin_group=self.oidc_admin_group,
        )

    @cached_property
    def user_limits(self) -> UserLimits:
        return UserLimits(
            jobs_per_hour=self.max_submissions_per_hour,
            concurrent_running=self.max_concurrent_running,
            trials_per_hour=self.max_trials_per_hour,
            queue_when_over=self.over_limit == "queue",
        )

    def resource_class(self, name: str) -> ResourceClass | None:
        return next((item for item in self.resource_classes if item.name == name), None)
