"""Liveness and readiness: `/livez` says the process answers, `/readyz` that it can predict."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from fastapi import APIRouter, Response

from contracts.schemas import Health

Check = Callable[[], str | None]


class Phase(StrEnum):
    """Where a process stands in its life."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    DRAINING = "draining"


class HealthState:
    """What readiness is decided from. Draining is final; every other phase may change."""

    def __init__(self) -> None:
        """A process begins in the loading phase."""
        self._phase = Phase.LOADING
        self._reason: str | None = "loading"
        self._checks: list[Check] = []
        self.exit_code: int | None = None

    @property
    def phase(self) -> Phase:
        """The present phase, without the checks."""
        return self._phase

    def mark_ready(self) -> None:
        """The model is loaded, warm and passed its self-test."""
        self._move(Phase.READY, None)

    def mark_failed(self, reason: str) -> None:
        """The process lives but cannot predict; `reason` is a stable code of ours."""
        self._move(Phase.FAILED, reason)

    def mark_fatal(self, reason: str, exit_code: int) -> None:
        """The process must not serve: the server stops it with this code."""
        self._move(Phase.FAILED, reason)
        self.exit_code = exit_code

    def mark_draining(self) -> None:
        """The process is stopping: finish what runs, take nothing new."""
        self._move(Phase.DRAINING, "draining")

    def add_check(self, check: Check) -> None:
        """`check` returns None when all is well, else a stable reason code; must not block."""
        self._checks.append(check)

    def reason(self) -> str | None:
        """Return why the process is not ready, or None when it is."""
        if self._phase is not Phase.READY:
            return self._reason or self._phase.value
        return next((reason for check in self._checks if (reason := check())), None)

    def _move(self, phase: Phase, reason: str | None) -> None:
        """Change the phase unless the process is already stopping."""
        if self._phase is not Phase.DRAINING:
            self._phase, self._reason = phase, reason


def health_router(state: HealthState) -> APIRouter:
    """Return the two probes; neither touches a dependency, a queue or a disk."""
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    async def livez() -> Health:
        """The process answers."""
        return Health(status="alive")

    @router.get("/readyz", responses={503: {"model": Health}})
    async def readyz(response: Response) -> Health:
        """The process can answer a request now; 503 with the reason otherwise."""
        reason = state.reason()
        if reason is None:
            return Health(status="ready")
        response.status_code = 503
        response.headers["Retry-After"] = "2"
        return Health(status="not_ready", reason=reason)

    return router
