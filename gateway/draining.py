"""What the gateway knows of a service that stops in order: ask it nothing more until it is back.

A service says with each answer that it drains, and closes its port a moment later. A request
that is on its way then would be lost unread, and may not be sent again.
"""

from __future__ import annotations

from contracts.errors import ModalityUnavailable

RETRY_AFTER_SECONDS = 2


class DrainGate:
    """Closed from the first word of draining until the service is back. Lives in one event loop."""

    def __init__(self) -> None:
        """A service counts as running until it says otherwise."""
        self.is_closed = False

    def check(self) -> None:
        """Raise ModalityUnavailable (503 with Retry-After) while closed."""
        if self.is_closed:
            raise ModalityUnavailable(
                "The service of this modality is being restarted.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )

    def close(self) -> None:
        """The service drains."""
        self.is_closed = True

    def open(self) -> None:
        """Another process has taken over. For an answer that was asked for while closed, no other.

        An older one may come from the process that drains, late.
        """
        self.is_closed = False
