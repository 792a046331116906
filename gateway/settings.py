"""Settings of the gateway, from the environment (`GATEWAY_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.secrets import is_loopback

#: Requests per minute and caller beyond loopback.
DEFAULT_QUOTA = 600


class GatewaySettings(BaseSettings):
    """One gateway process. Built in `__main__`, never at import."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on. Beyond loopback, API keys are required."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on."""
    upstreams: dict[str, str] = {}
    """Base URL by modality id. When set, exactly these modalities are offered; when not, every
    registered modality is expected at `http://<id>:8000`."""
    internal_token: SecretStr | None = None
    """Bearer token that the services expect. Beyond loopback it is required and must be strong."""
    data_dir: Path = Path("data")
    """Folder of the default database and the signing key."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL; by default SQLite in `data_dir`."""
    signing_key_file: Path | None = None
    """Ed25519 key (PEM) that signs receipts; by default `signing-key.pem` in `data_dir`."""
    pepper_file: Path | None = None
    """Secret under which patient references are hashed; by default `pepper.txt` in `data_dir`."""
    samples_dir: Path = Path("examples")
    """Folder with a `samples.csv`, whose inputs the page offers to try; none where it is not."""
    requests_per_minute: int | None = Field(default=None, ge=0)
    """Requests of one caller per minute, 0 for no limit; by default 600, none on loopback."""
    redis_url: SecretStr | None = None
    """Redis or Valkey that counts for several gateways together; by default each counts alone."""
    idempotency_seconds: float = Field(default=900.0, gt=0, le=86_400)
    """How long the answer to an `Idempotency-Key` is kept. The input never is."""

    connect_timeout_seconds: float = Field(default=1.0, gt=0, le=60)
    """Time for a connection to a service; a failed one is tried once more."""
    deadline_seconds: float = Field(default=10.0, gt=0, le=600)
    """Time for an answer once the body is there; `X-Deadline-Ms` can only shorten it."""
    upload_seconds: float = Field(default=15.0, gt=0, le=600)
    """Time for a body to arrive."""
    upload_grace_seconds: float = Field(default=5.0, gt=0, le=600)
    """How long a body may be slower than `upload_bytes_per_second`."""
    upload_bytes_per_second: int = Field(default=32 * 1024, ge=1)
    """Mean rate that a body must reach after the grace."""
    max_body_memory_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    """All uploads held at the same time; beyond it new ones are refused."""

    max_concurrency: int = Field(default=8, ge=1, le=1000)
    """Calls that run at once, per modality."""
    max_waiting: int = Field(default=64, ge=0, le=100_000)
    """Calls that wait for a place, per modality; the next one is refused at once."""
    max_wait_seconds: float = Field(default=5.0, gt=0, le=600)
    """How long a call may wait for a place."""
    report_threads: int = Field(default=2, ge=1, le=64)
    """PDF reports that are made at once; further ones wait."""
    breaker_failures: int = Field(default=5, ge=1, le=1000)
    """Failures in a row after which a service is left alone."""
    breaker_probe_seconds: float = Field(default=5.0, gt=0, le=600)
    """Time after which one call probes it again."""
    readiness_poll_seconds: float = Field(default=1.0, gt=0, le=600)
    """How often each service is asked whether it is ready."""

    cors_origins: tuple[str, ...] = ()
    """Origins that a browser may call from; empty allows none."""
    cors_credentials: bool = False
    """Allow credentials from these origins; not together with `*`."""
    trusted_hosts: tuple[str, ...] = ()
    """Host names that are answered; empty answers all."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose `X-Forwarded-For` is believed; empty believes none."""

    drain_seconds: float = Field(default=0.5, ge=0, le=60)
    """How long the process says not ready before it stops listening."""
    shutdown_seconds: float = Field(default=20.0, gt=0, le=600)
    """How long running requests may take to finish after that."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe event that is logged."""

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach the gateway."""
        return is_loopback(self.host)

    @property
    def quota(self) -> int:
        """Requests of one caller per minute; 0 stands for no limit."""
        if self.requests_per_minute is None:
            return 0 if self.is_loopback else DEFAULT_QUOTA
        return self.requests_per_minute

    @property
    def token(self) -> str | None:
        """The internal token in clear, or None."""
        return self.internal_token.get_secret_value() if self.internal_token else None

    @model_validator(mode="after")
    def _check_cors(self) -> Self:
        """Refuse the combination that would give every web site the caller's credentials."""
        if self.cors_credentials and "*" in self.cors_origins:
            raise ValueError("cors_origins '*' cannot be combined with cors_credentials")
        return self

    @model_validator(mode="after")
    def _check_upstreams(self) -> Self:
        """Refuse a URL that is none before the first request meets it."""
        for url in self.upstreams.values():
            if not url.startswith(("http://", "https://")):
                raise ValueError("every upstream is a URL that begins with http:// or https://")
        return self
