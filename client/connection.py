"""One HTTP exchange with the gateway: key, time-outs, repeats where safe, problems as errors.

Nothing of a request or an answer is logged. Redirects are not followed, since the key would go
along.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2
from pydantic import ValidationError

from client.errors import MediFlowError, Refused, Unreachable
from contracts.schemas import Problem

DEFAULT_URL = "http://127.0.0.1:8000"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Pause before a repeat for which the gateway names none.
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds. `repeats` bounds all pauses of one call together."""

    connect: float = 3.0
    answer: float = 60.0
    repeats: float = 10.0
    failed_connects: int = 1
    """How often a connection that could not be made is tried again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeatable` says that asking twice does no harm after a broken exchange.

    With `keyed` an Idempotency-Key makes it so: the gateway answers the same key once.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: bytes | None = field(default=None, repr=False)
    repeatable: bool = False
    keyed: bool = False


class Connection:
    """Keeps connections to one gateway open; threads may share it."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises MediFlowError for an address that is no http(s) URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MediFlowError("The address must look like http://host:8000.")
        self.url = url.rstrip("/")
        self._patience = patience or Patience()
        self._sleep = sleep
        self._http = httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx2.Timeout(self._patience.answer, connect=self._patience.connect),
            transport=transport,
            trust_env=parts.hostname not in _LOOPBACK,  # No proxy leads to this machine.
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ask(self, call: Call) -> httpx2.Response:
        """Return the answer; repeat while that is safe and the patience lasts.

        Raises Refused for a problem document, Unreachable where no complete answer came.
        """
        waited, attempts, key = 0.0, 0, str(uuid.uuid4())
        while True:
            try:
                return self._once(call, {"Idempotency-Key": key} if call.keyed else {})
            except (Refused, Unreachable) as error:
                attempts += 1
                if _is_unworked(error):
                    key = str(uuid.uuid4())  # The old one may still be held by what failed.
                pause = self._pause(error, call, attempts)
                if pause is None or waited + pause > self._patience.repeats:
                    raise
                waited += pause
                self._sleep(pause)

    def _once(self, call: Call, more: Mapping[str, str]) -> httpx2.Response:
        """Send once, with `more` headers, and translate what goes wrong."""
        try:
            response = self._http.request(
                call.method,
                call.path,
                params=dict(call.params),
                headers={**call.headers, **more},
                content=call.payload,
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise Unreachable(
                f"Nobody answers at {self.url}. Start the system with `make up`, or name its "
                "address with --url or MEDIFLOW_URL.",
                sent=False,
            ) from error
        except httpx2.TimeoutException as error:
            raise Unreachable(f"{self.url} did not answer in time.", sent=True) from error
        except httpx2.HTTPError as error:
            raise Unreachable(f"The connection to {self.url} broke.", sent=True) from error
        if response.is_success:
            return response
        raise _refusal(response)

    def _pause(self, error: Refused | Unreachable, call: Call, attempts: int) -> float | None:
        """Return the seconds to wait before a repeat, None where there must not be one."""
        again = (call.repeatable or call.keyed) and attempts == 1
        if isinstance(error, Unreachable):
            if error.sent:
                return _PAUSE_SECONDS if again else None
            return _PAUSE_SECONDS if attempts <= self._patience.failed_connects else None
        if error.code == "model_unavailable":
            return None  # It may stay so for long; waiting for that is the caller's choice.
        named = error.retry_after_seconds
        pause = _PAUSE_SECONDS if named is None else named
        if _is_unworked(error) or error.code == "idempotency_in_progress":
            return pause
        return pause if error.is_temporary and again else None


def _is_unworked(error: Refused | Unreachable) -> bool:
    """True when nothing was answered and nothing stored, so that nothing can happen twice."""
    return isinstance(error, Refused) and error.problem.status in (429, 503)


def _refusal(response: httpx2.Response) -> MediFlowError:
    """Read a problem document; anything else that is no success comes from no gateway of ours."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return Unreachable(
            f"HTTP {response.status_code}, but not from MediFlow. Is the address right?", sent=False
        )
    after = response.headers.get("Retry-After", "")
    return Refused(problem, float(after) if after.isdigit() else None)
