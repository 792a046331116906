"""Hold the warm engine of a process, or the knowledge that there is none."""

from __future__ import annotations

from typing import Generic, TypeVar

from contracts.errors import ModelUnavailable

Engine = TypeVar("Engine")


class ModelHolder(Generic[Engine]):
    """Where routes find the engine. There is no demo answer: without a model there is an error."""

    def __init__(self) -> None:
        """Starts empty."""
        self._engine: Engine | None = None

    @property
    def is_empty(self) -> bool:
        """True when no model is held."""
        return self._engine is None

    @property
    def engine(self) -> Engine:
        """Return the engine; raise ModelUnavailable (503) when there is none."""
        if self._engine is None:
            raise ModelUnavailable(
                "No model is loaded for this modality. Install its model file and restart it.",
                retry_after_seconds=30,
            )
        return self._engine

    def put(self, engine: Engine) -> None:
        """Hold a warm engine from now on."""
        self._engine = engine

    def clear(self) -> None:
        """Hold nothing from now on; the engine's owner closes it."""
        self._engine = None
