"""Open what is kept: database, keys, quotas and audit; and write exchanges into the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from contracts.errors import AuditUnavailable
from contracts.modality import Modality
from gateway.about import NAME, VERSION
from gateway.anchors import ANCHOR_FILE, AnchorFile
from gateway.archive import AuditArchive
from gateway.audit import AuditStore
from gateway.auth import Authenticator
from gateway.database import Database, sqlite_url
from gateway.entry import AuditEntry
from gateway.exchange import Exchange
from gateway.feedback import FeedbackStore
from gateway.idempotency import IdempotentAnswers
from gateway.keyring import Keyring, load_keyring
from gateway.keys import KeyStore
from gateway.quotas import Quotas
from gateway.receipts import ReceiptOffice, facts_of
from gateway.settings import GatewaySettings
from serving.secrets import check_token

#: Caller id in the record of a request that was refused before it was known who asked.
UNKNOWN_CALLER = "unknown"
#: What receipts name as the software that answered.
SOFTWARE = f"{NAME} {VERSION}"


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that outlives the process."""

    database: Database
    keyring: Keyring
    audit: AuditStore
    authenticator: Authenticator
    quotas: Quotas
    answers: IdempotentAnswers
    receipts: ReceiptOffice
    feedback: FeedbackStore

    async def record(self, exchange: Exchange) -> None:
        """Append the record of one request; raise AuditUnavailable when it is not durable.

        An answer under an idempotency key is kept in the same transaction, or its key freed.
        """
        claim = exchange.claim
        kept = exchange.answer if exchange.status == 200 else None
        entry = to_entry(exchange, self.pseudonym(exchange.patient_reference))
        try:
            await self.audit.record(entry, also=() if claim is None else (claim.outcome(kept),))
        except BaseException as error:
            if claim is not None:
                self.answers.forsake(claim)
            if isinstance(error, AuditUnavailable):
                await self.answers.clear_forsaken()
            raise

    async def revive(self) -> None:
        """Try an audit store that could not be written last time; readiness waits for it."""
        if not self.audit.available:
            await self.audit.probe()
        if self.audit.available:
            await self.answers.clear_forsaken()

    def pseudonym(self, reference: str | None) -> str | None:
        """Return the keyed hash of a patient reference; None for none."""
        return None if reference is None else self.keyring.pseudonym(reference)


@asynccontextmanager
async def open_store(
    settings: GatewaySettings, modalities: tuple[Modality, ...]
) -> AsyncIterator[Store]:
    """Migrate and open; on leaving, what waits is written and every connection closed."""
    keyring = open_keyring(settings)
    database = open_database(settings)
    try:
        await database.migrate()
        anchors = AnchorFile(settings.data_dir / ANCHOR_FILE)
        archive = AuditArchive(database, anchors)
        answers = IdempotentAnswers(database, keep_seconds=settings.idempotency_seconds)
        if database.is_sqlite:
            await answers.forget_claims()  # one machine, so their process is gone
        shared = settings.redis_url
        quotas = Quotas(settings.quota, shared_url=shared.get_secret_value() if shared else None)
        async with quotas, AuditStore(database, keyring, anchors) as audit:
            yield Store(
                database=database,
                keyring=keyring,
                audit=audit,
                authenticator=Authenticator(
                    KeyStore(database), open_without_keys=settings.is_loopback
                ),
                quotas=quotas,
                answers=answers,
                receipts=ReceiptOffice(archive, keyring),
                feedback=FeedbackStore(database, archive, modalities=modalities),
            )
    finally:
        await database.close()


def open_keyring(settings: GatewaySettings) -> Keyring:
    """Read the secrets; raise BadSecret when one is missing or weak where that matters."""
    check_token("GATEWAY_INTERNAL_TOKEN", settings.token, settings.host)
    return load_keyring(
        settings.data_dir,
        may_create=settings.is_loopback,
        signing_key_file=settings.signing_key_file,
        pepper_file=settings.pepper_file,
    )


def open_database(settings: GatewaySettings) -> Database:
    """Return the configured database, by default SQLite in the data folder."""
    url = settings.database_url
    return Database(url.get_secret_value() if url else sqlite_url(settings.data_dir))


def to_entry(exchange: Exchange, patient_hmac: str | None = None) -> AuditEntry:
    """Reduce an exchange to what is kept of it. An answer given again has no id of its own."""
    prediction = exchange.prediction
    entry = AuditEntry(
        request_id=exchange.request_id,
        caller=exchange.caller or UNKNOWN_CALLER,
        route=f"{exchange.method} {exchange.route}",
        status=exchange.status,
        modality=exchange.modality,
        error_code=exchange.code,
        refers_to=exchange.refers_to,
        input_sha256=exchange.input_sha256,
        input_media_type=exchange.media_type,
        input_bytes=exchange.input_bytes,
        patient_hmac=patient_hmac,
    )
    if prediction is None:
        return entry
    again = exchange.replayed
    return replace(
        entry,
        outcome=prediction.outcome.value,
        prediction_id=None if again else prediction.prediction_id,
        refers_to=prediction.prediction_id if again else exchange.refers_to,
        model_name=prediction.model.name,
        model_version=prediction.model.version,
        model_sha256=prediction.model.sha256,
        answer={} if again else facts_of(prediction, exchange.options, SOFTWARE),
    )
