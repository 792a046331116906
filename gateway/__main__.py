"""Start the gateway (`python -m gateway`), or run one of its commands."""

from __future__ import annotations

import logging
import sys

import typer
from pydantic import ValidationError

from gateway.app import create_app
from gateway.commands import audit, feedback, keys, receipts, secrets
from gateway.door import GatewayDoor
from gateway.settings import GatewaySettings
from gateway.store import open_keyring
from serving.app import Shell
from serving.logs import configure_logging
from serving.secrets import BadSecret
from serving.server import ServerOptions, run

app = typer.Typer(add_completion=False, no_args_is_help=False)
for name, commands in (
    ("keys", keys.app),
    ("secrets", secrets.app),
    ("audit", audit.app),
    ("receipts", receipts.app),
    ("feedback", feedback.app),
):
    app.add_typer(commands, name=name)
EXIT_BAD_SETTINGS = 78


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Serve until stopped, unless a command is named."""
    if context.invoked_subcommand is None:
        raise typer.Exit(serve())


def serve() -> int:
    """Read the environment, run the server, return its exit code."""
    try:
        settings = GatewaySettings()
        open_keyring(settings)  # before the server, so that a weak secret is one line
        gateway = create_app(settings)
    except (ValidationError, ValueError, BadSecret) as error:
        typer.echo(_explain(error), err=True)
        return EXIT_BAD_SETTINGS
    configure_logging(settings.log_level)
    # One line per call of a service and per migration step says nothing that ours do not.
    for name in ("httpx2", "httpcore2", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    shell: Shell = gateway.state.shell
    return run(
        gateway,
        settings.host,
        settings.port,
        shell.health,
        options=ServerOptions(
            drain_seconds=settings.drain_seconds, shutdown_seconds=settings.shutdown_seconds
        ),
        door=GatewayDoor(lambda: gateway.state.parts, shell.metrics, settings.trusted_hosts),
    )


def _explain(error: ValueError | BadSecret) -> str:
    """Say which setting is wrong, without its value, which may be a secret."""
    if isinstance(error, ValidationError):
        faults = (
            f"GATEWAY_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        return "The settings are wrong. " + "; ".join(faults)
    return f"The settings are wrong. {error}"


if __name__ == "__main__":
    sys.exit(app())
