"""What every command opens: the settings of the environment, the database, the secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from gateway.anchors import ANCHOR_FILE, AnchorFile, BadAnchorFile
from gateway.archive import AuditArchive
from gateway.database import Database
from gateway.settings import GatewaySettings
from gateway.store import open_database
from serving.secrets import BadSecret

ResultT = TypeVar("ResultT")

EXIT_BAD_SETTINGS = 78
EXIT_STORE_FAILED = 74


def settings_of_environment() -> GatewaySettings:
    """Read the settings; end the command when they are wrong, without showing a value."""
    try:
        return GatewaySettings()
    except ValidationError as error:
        names = ", ".join(
            "GATEWAY_" + "_".join(str(part) for part in fault["loc"]).upper()
            for fault in error.errors(include_input=False)
        )
        typer.echo(f"These settings are wrong: {names}", err=True)
        raise typer.Exit(EXIT_BAD_SETTINGS) from error


@asynccontextmanager
async def opened_database(settings: GatewaySettings) -> AsyncIterator[Database]:
    """Open the database at its newest schema."""
    database = open_database(settings)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def archive_of(database: Database, settings: GatewaySettings) -> AuditArchive:
    """Return the audit of a database with its anchor file."""
    return AuditArchive(database, AnchorFile(settings.data_dir / ANCHOR_FILE))


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a command's work; say in one line what failed, without a driver's words."""
    try:
        return asyncio.run(work)
    except BadSecret as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_BAD_SETTINGS) from error
    except BadAnchorFile as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except (SQLAlchemyError, OSError) as error:
        typer.echo(f"The database cannot be used ({type(error).__name__}).", err=True)
        raise typer.Exit(EXIT_STORE_FAILED) from error
