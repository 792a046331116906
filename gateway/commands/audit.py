"""`python -m gateway audit`: verify the chain, search and export it, prune what is old."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.receipts import BadReceipt, load_public_key
from gateway.anchors import ANCHOR_FILE, AnchorFile
from gateway.archive import Query, Verdict
from gateway.audit import AuditStore
from gateway.chain import ChainRecord
from gateway.commands.opening import archive_of, opened_database, run, settings_of_environment
from gateway.entry import AuditEntry
from gateway.feedback import FeedbackStore
from gateway.moment import utc_now, utc_text
from gateway.settings import GatewaySettings
from gateway.store import open_keyring

app = typer.Typer(no_args_is_help=True, help="Verify, search, export and prune the audit.")

Since = Annotated[datetime | None, typer.Option(help="Records from this time on (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Records before this time (UTC).")]
#: How many faults are printed; the first ones show where to look.
MAX_FAULTS = 20


@app.command()
def verify(
    key: Annotated[
        list[Path] | None, typer.Option(help="Public key (PEM) of an earlier signing key.")
    ] = None,
) -> None:
    """Check every record, the signed head and the anchor file; exit 1 when anything is wrong."""
    settings = settings_of_environment()

    async def work() -> Verdict:
        keys = _keys(settings, key or [])
        async with opened_database(settings) as database:
            return await archive_of(database, settings).verify(keys)

    verdict = run(work())
    for fault in verdict.faults[:MAX_FAULTS]:
        typer.echo(f"record {fault.seq}: {fault.code}", err=True)
    typer.echo(
        f"{verdict.records} records up to {verdict.last_seq}, {verdict.anchors} anchors: "
        + ("the chain holds" if verdict.holds else f"{len(verdict.faults)} faults")
    )
    if not verdict.holds:
        raise typer.Exit(1)


@app.command()
def query(
    since: Since = None,
    until: Until = None,
    caller: Annotated[str | None, typer.Option(help="Id of an API key.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Id of one request.")] = None,
    prediction_id: Annotated[str | None, typer.Option(help="Id of one prediction.")] = None,
) -> None:
    """Print the matching entries, one JSON object per line."""
    settings = settings_of_environment()
    wanted = Query(_text(since), _text(until), caller, request_id, prediction_id)
    run(_write(settings, wanted, sys.stdout, whole=False))


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="File to write; must not exist yet.")],
    since: Since = None,
    until: Until = None,
) -> None:
    """Write the records with their hashes as JSON lines, for an archive or an auditor."""
    settings = settings_of_environment()
    with out.open("x", encoding="utf-8") as stream:
        count = run(_write(settings, Query(_text(since), _text(until)), stream, whole=True))
    typer.echo(f"{count} records")


@app.command()
def prune(
    before: Annotated[datetime, typer.Option(help="Delete what is older than this time (UTC).")],
) -> None:
    """Delete old records and feedback; the cut is signed, so the rest still verifies.

    Export both first. That records were pruned is itself recorded.
    """
    settings, limit = settings_of_environment(), _text(before) or ""

    async def work() -> tuple[int, int]:
        keyring = open_keyring(settings)
        async with opened_database(settings) as database:
            anchors = AnchorFile(settings.data_dir / ANCHOR_FILE)
            async with AuditStore(database, keyring, anchors) as store:
                await store.record(
                    AuditEntry(
                        request_id=f"prune-before-{before:%Y%m%dT%H%M%S}",
                        caller="operator",
                        route="audit prune",
                        status=0,
                    )
                )
                archive = archive_of(database, settings)
                records = await archive.prune(
                    limit, now=utc_text(utc_now()), key=keyring.signing_key
                )
                return records, await FeedbackStore(database, archive).prune(limit)

    records, opinions = run(work())
    typer.echo(f"{records} records and {opinions} opinions pruned")


def _keys(settings: GatewaySettings, earlier: list[Path]) -> list[Ed25519PublicKey]:
    """The installation's own public key, and earlier ones that were named."""
    try:
        return [
            open_keyring(settings).signing_key.public_key(),
            *(load_public_key(path.read_text()) for path in earlier),
        ]
    except BadReceipt as error:
        raise typer.BadParameter(str(error)) from error


async def _write(settings: GatewaySettings, wanted: Query, stream: TextIO, *, whole: bool) -> int:
    """Write one line per record: the whole record, or its entry with its number."""
    count = 0
    async with opened_database(settings) as database:
        async for record in archive_of(database, settings).search(wanted):
            stream.write(_line(record, whole=whole) + "\n")
            count += 1
    return count


def _line(record: ChainRecord, *, whole: bool) -> str:
    """One record as JSON; `body` is kept as the text that was hashed."""
    if whole:
        return json.dumps({"seq": record.seq, "hash": record.hash, "body": record.body})
    return json.dumps({"seq": record.seq} | json.loads(record.body)["entry"])


def _text(moment: datetime | None) -> str | None:
    """The time as the database writes it; given times are UTC."""
    return None if moment is None else utc_text(moment.replace(tzinfo=UTC))
