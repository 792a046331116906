"""Open what is kept: database, keys, quotas and audit; and write exchanges into the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.anchors import ANCHOR_FILE, AnchorFile
from gateway.audit import AuditStore
from gateway.auth import Authenticator
from gateway.database import Database, sqlite_url
from gateway.entry import AuditEntry
from gateway.exchange import Exchange
from gateway.keyring import Keyring, check_secret, load_keyring
from gateway.keys import KeyStore
from gateway.quotas import Quotas
from gateway.settings import GatewaySettings

#: Caller id in the record of a request that was refused before it was known who asked.
UNKNOWN_CALLER = "unknown"


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that outlives the process."""

    database: Database
    keyring: Keyring
    audit: AuditStore
    authenticator: Authenticator
    quotas: Quotas

    async def record(self, exchange: Exchange) -> None:
        """Append the record of one request; raise AuditUnavailable when it is not durable."""
        await self.audit.record(to_entry(exchange, self.keyring))


@asynccontextmanager
async def open_store(settings: GatewaySettings) -> AsyncIterator[Store]:
    """Migrate and open; on leaving, what waits is written and every connection closed."""
    keyring = load_keyring(
        settings.data_dir,
        may_create=settings.is_loopback,
        signing_key_file=settings.signing_key_file,
        pepper_file=settings.pepper_file,
    )
    if settings.token is not None and not settings.is_loopback:
        check_secret("the internal token", settings.token)
    url, shared = settings.database_url, settings.redis_url
    database = Database(url.get_secret_value() if url else sqlite_url(settings.data_dir))
    try:
        await database.migrate()
        anchors = AnchorFile(settings.data_dir / ANCHOR_FILE)
        quotas = Quotas(settings.quota, shared_url=shared.get_secret_value() if shared else None)
        authenticator = Authenticator(KeyStore(database), open_without_keys=settings.is_loopback)
        async with quotas, AuditStore(database, keyring, anchors) as audit:
            yield Store(database, keyring, audit, authenticator, quotas)
    finally:
        await database.close()


def to_entry(exchange: Exchange, keyring: Keyring) -> AuditEntry:
    """Reduce an exchange to what is kept; a patient reference becomes a keyed hash."""
    prediction = exchange.prediction
    model = prediction.model if prediction else None
    reference = exchange.patient_reference
    return AuditEntry(
        request_id=exchange.request_id,
        caller=exchange.caller or UNKNOWN_CALLER,
        route=f"{exchange.method} {exchange.route}",
        status=exchange.status,
        modality=exchange.modality,
        error_code=exchange.code,
        outcome=prediction.outcome.value if prediction else None,
        prediction_id=prediction.prediction_id if prediction else None,
        model_name=model.name if model else None,
        model_version=model.version if model else None,
        model_sha256=model.sha256 if model else None,
        input_sha256=exchange.input_sha256,
        input_media_type=exchange.media_type,
        input_bytes=exchange.input_bytes,
        patient_hmac=keyring.pseudonym(reference) if reference else None,
    )
