"""Settings that every service takes from the environment (`SERVICE_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

FIRST_PORT = 8101


class ServiceSettings(BaseSettings):
    """One service process. Built in `__main__`, never at import."""

    model_config = SettingsConfigDict(
        env_prefix="SERVICE_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    modality: str
    """Id of the modality that this process serves."""
    models_dir: Path = Path("models")
    """Folder with one folder of model files per modality."""
    checkpoint: Path | None = None
    """Model file; without it the newest version in `models_dir/<modality>/`."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int | None = Field(default=None, ge=0, le=65535)
    """Port to listen on; by default 8101 plus the modality's place in the registry."""
    backend: Literal["auto", "torch", "onnxruntime"] = "auto"
    """What computes: `auto` takes onnxruntime on a CPU and torch on CUDA."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it computes."""
    threads: int = Field(default=1, ge=1, le=256)
    """Compute threads of each inference call."""
    workers: int | None = Field(default=None, ge=1, le=64)
    """Inference calls that may run at once on a CPU; by default one per core, at most 4."""
    max_batch: int = Field(default=16, ge=1, le=256)
    """Largest batch on CUDA. A CPU takes one input at a time."""
    max_batch_wait_ms: float = Field(default=2.0, ge=0, le=1000)
    """How long a batch on CUDA waits for company, counted from its first input."""
    use_tta: bool = False
    """Average several views of a picture where its model was calibrated for that. A request that
    says `use_tta` itself decides for itself."""
    max_queue: int = Field(default=64, ge=1, le=10_000)
    """Requests that may be in the process; the next one is refused at once."""
    deadline_seconds: float = Field(default=10.0, gt=0, le=600)
    """Time for one request; `X-Deadline-Ms` can only shorten it."""
    upload_seconds: float = Field(default=15.0, gt=0, le=600)
    """Time for a body to arrive."""
    drain_seconds: float = Field(default=2.5, ge=0, le=60)
    """How long the process says not ready, and still answers, before it stops listening: longer
    than a gateway takes to notice (`GATEWAY_READINESS_POLL_SECONDS` and the time for an answer)."""
    shutdown_seconds: float = Field(default=20.0, gt=0, le=600)
    """How long running requests may take to finish after that."""
    qc_interval_seconds: float = Field(default=300.0, gt=0)
    """How often the golden cases are run again."""
    cache_dir: Path | None = None
    """Folder for the compiled form of a model, kept by digest; without it nothing is kept."""
    internal_token: SecretStr | None = None
    """When set, only callers that send it as bearer token are answered. Beyond loopback it is
    required and must be strong."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe event that is logged."""

    @property
    def token(self) -> str | None:
        """The internal token in clear, or None."""
        return self.internal_token.get_secret_value() if self.internal_token else None


def model_path(settings: ServiceSettings, suffix: str) -> Path:
    """Return the model file to serve: the one named, else the newest version in its folder.

    The path need not exist: without a model the process runs and says so.
    """
    if settings.checkpoint is not None:
        return settings.checkpoint
    folder = settings.models_dir / settings.modality
    versions = [path for path in folder.glob(f"v*{suffix}") if path.stem[1:].isdigit()]
    return max(versions, key=lambda path: int(path.stem[1:]), default=folder / f"v1{suffix}")


def service_port(settings: ServiceSettings, modality_ids: tuple[str, ...]) -> int:
    """Return the port to listen on; `modality_ids` is the registry's order."""
    if settings.port is not None:
        return settings.port
    return FIRST_PORT + modality_ids.index(settings.modality)
