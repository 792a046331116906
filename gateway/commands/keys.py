"""`python -m gateway keys`: make, list and revoke API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.caller import USUAL_SCOPES, Scope
from gateway.commands.opening import opened_database, run, settings_of_environment
from gateway.keys import KeyStore, NewKey, StoredKey
from gateway.moment import utc_now, utc_text

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


@app.command()
def make(
    name: Annotated[str, typer.Option(help="Who will use it; never a patient.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it allows; may be repeated.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, help="Its own rate limit.")
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once; only its digest is kept."""
    settings = settings_of_environment()

    async def work() -> NewKey:
        async with opened_database(settings) as database:
            return await KeyStore(database).make(
                name,
                frozenset(scope) if scope else USUAL_SCOPES,
                valid_days=days,
                requests_per_minute=requests_per_minute,
            )

    made = run(work())
    typer.echo(made.clear)
    typer.echo(f"Key {made.stored.id} is shown only now. Store it safely.", err=True)


@app.command("list")
def list_keys() -> None:
    """List every key ever made: id, state, scopes, limit, expiry and name."""
    settings = settings_of_environment()

    async def work() -> list[StoredKey]:
        async with opened_database(settings) as database:
            return await KeyStore(database).list()

    for key in run(work()):
        typer.echo(
            "\t".join(
                [
                    key.id,
                    _state(key),
                    ",".join(sorted(key.scopes)),
                    str(key.requests_per_minute or "-"),
                    key.expires or "never",
                    key.name,
                ]
            )
        )


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id, between `mf_` and `_`.")]) -> None:
    """End a key's life; gateways at work notice within two seconds."""
    settings = settings_of_environment()

    async def work() -> bool:
        async with opened_database(settings) as database:
            return await KeyStore(database).revoke(key_id)

    if not run(work()):
        typer.echo("There is no such key that still works.", err=True)
        raise typer.Exit(1)
    typer.echo("revoked")


def _state(key: StoredKey) -> str:
    """One word for whether it works."""
    if key.revoked:
        return "revoked"
    return "active" if key.works_at(utc_text(utc_now())) else "expired"
