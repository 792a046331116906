"""What counts as a weak secret, and where a process may run without the internal token."""

from __future__ import annotations

LOOPBACK = ("127.0.0.1", "::1", "localhost")
MIN_SECRET_CHARACTERS = 32
MIN_DISTINCT_CHARACTERS = 10
#: Parts of placeholders that people forget to replace.
PLACEHOLDERS = ("changeme", "change-me", "change_me", "secret", "password", "example", "default")


class BadSecret(Exception):
    """A secret is missing, unreadable, weak or open to others; the process must not start."""


def check_secret(name: str, value: str) -> None:
    """Raise BadSecret for a secret that is short, monotonous or a known placeholder."""
    lowered = value.lower()
    if len(value) < MIN_SECRET_CHARACTERS or len(set(value)) < MIN_DISTINCT_CHARACTERS:
        raise BadSecret(
            f"{name} is weak: at least {MIN_SECRET_CHARACTERS} characters, "
            f"{MIN_DISTINCT_CHARACTERS} of them different"
        )
    if any(word in lowered for word in PLACEHOLDERS):
        raise BadSecret(f"{name} looks like a placeholder")


def is_loopback(host: str) -> bool:
    """True when only this machine can reach a process that listens on `host`."""
    return host in LOOPBACK


def check_token(variable: str, token: str | None, host: str) -> None:
    """Raise BadSecret for a process that others can reach without a strong internal token.

    `variable` names the setting in the message; on loopback everything is allowed.
    """
    if is_loopback(host):
        return
    if not token:
        raise BadSecret(f"{variable} (the internal token) is required beyond loopback")
    check_secret(f"{variable} (the internal token)", token)
