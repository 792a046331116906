"""The gateway's own secrets: the signing key and the pepper, from files.

On loopback missing files are created with mode 0600, so that the demo needs no set-up. Elsewhere
they must have been put there: a signing key that is made anew with every container would make
yesterday's receipts worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from serving.secrets import BadSecret, check_secret

SIGNING_KEY_FILE = "signing-key.pem"
PEPPER_FILE = "pepper.txt"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Signs receipts and audit positions; turns patient references into keyed hashes."""

    signing_key: Ed25519PrivateKey = field(repr=False)
    pepper: bytes = field(repr=False)

    def pseudonym(self, reference: str) -> str:
        """Return the HMAC under which a patient reference is stored, 64 hexadecimal digits."""
        return hmac.new(self.pepper, b"patient\n" + reference.encode(), hashlib.sha256).hexdigest()


def load_keyring(
    folder: Path,
    *,
    may_create: bool,
    signing_key_file: Path | None = None,
    pepper_file: Path | None = None,
) -> Keyring:
    """Read both secrets; create missing ones where `may_create`; raise BadSecret otherwise."""
    key_path = signing_key_file or folder / SIGNING_KEY_FILE
    pepper_path = pepper_file or folder / PEPPER_FILE
    if may_create:
        _create(key_path, _new_signing_key)
        _create(pepper_path, lambda: secrets.token_urlsafe(48).encode() + b"\n")
    pepper = _read_private(pepper_path).strip()
    check_secret("the pepper", pepper.decode("ascii", "replace"))
    return Keyring(_parse_signing_key(_read_private(key_path)), pepper)


def _new_signing_key() -> bytes:
    """A fresh Ed25519 key as PEM."""
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _parse_signing_key(pem: bytes) -> Ed25519PrivateKey:
    """Read an unencrypted Ed25519 PEM."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise BadSecret("the signing key is no unencrypted PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSecret("the signing key is no Ed25519 key")
    return key


def _create(path: Path, make: Callable[[], bytes]) -> None:
    """Write a new secret whole or not at all; of two processes that start at once, one wins."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(make())
            stream.flush()
            os.fsync(stream.fileno())
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()


def _read_private(path: Path) -> bytes:
    """Read a secret file; raise BadSecret when it is missing or others may write it."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise BadSecret(f"{path.name} is missing or unreadable; see docs/operations.md") from error
    if mode & 0o022:
        raise BadSecret(f"{path.name} can be written by others; set its mode to 0600")
    return content
