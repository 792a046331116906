"""`python -m gateway secrets make`: the signing key and the pepper, once per installation."""

from __future__ import annotations

import typer

from contracts.receipts import key_id_of
from gateway.commands.opening import settings_of_environment
from gateway.keyring import load_keyring
from serving.secrets import BadSecret

app = typer.Typer(no_args_is_help=True, help="Make the gateway's own secrets.")


@app.callback()
def secrets() -> None:
    """Keep `make` a sub-command."""


@app.command()
def make() -> None:
    """Make what is missing, readable by the owner only; existing secrets stay as they are.

    Beyond loopback a gateway does not start without them. Back them up: without the signing key,
    receipts and audit of this installation cannot be continued.
    """
    settings = settings_of_environment()
    try:
        keyring = load_keyring(
            settings.data_dir,
            may_create=True,
            signing_key_file=settings.signing_key_file,
            pepper_file=settings.pepper_file,
        )
    except (BadSecret, OSError) as error:
        typer.echo(f"The secrets cannot be made: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"signing key {key_id_of(keyring.signing_key.public_key())}")
