"""`python -m gateway feedback export`: what people said, as a CSV to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.opening import archive_of, opened_database, run, settings_of_environment
from gateway.feedback import FeedbackStore

app = typer.Typer(no_args_is_help=True, help="Export feedback for retraining.")


@app.callback()
def feedback() -> None:
    """Keep `export` a sub-command."""


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="CSV to write; must not exist yet.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also predictions that nobody commented on.")
    ] = False,
) -> None:
    """Write input hash, labels, uncertainty and comment code; never an input or a reference.

    `python -m training feedback` finds the site's own files by their hash.
    """
    settings = settings_of_environment()

    async def work() -> int:
        async with opened_database(settings) as database:
            store = FeedbackStore(database, archive_of(database, settings))
            with out.open("x", encoding="utf-8", newline="") as stream:
                return await store.export(stream, everything=everything)

    typer.echo(f"{run(work())} rows")
