"""`mediflow status`: which modalities answer now."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from client.catalogue import SystemStatus
from client.commands.options import OUT, ApiKey, AsJson, Url, connected
from client.connection import DEFAULT_URL
from client.errors import Unreachable
from client.exits import Exit
from client.mediflow import MediFlow

_PAUSE_SECONDS = 0.5


def status(
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until all are ready.")] = 0.0,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Show which modalities answer. Exit code 1 when one is not ready, 6 when nobody answers."""
    with connected(url, api_key) as mediflow:
        found = _look(mediflow, time.monotonic() + wait)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _show(found, url)
    raise typer.Exit(Exit.OK if len(found.ready) == len(found.modalities) else Exit.NO)


def _look(mediflow: MediFlow, until: float) -> SystemStatus:
    """Ask until all are ready or the time is over; Unreachable when nobody came up by then."""
    while True:
        left = until - time.monotonic()
        try:
            found = mediflow.status()
            if left <= 0 or len(found.ready) == len(found.modalities):
                return found
        except Unreachable:
            if left <= 0:
                raise
        time.sleep(min(_PAUSE_SECONDS, max(left, 0)))


def _show(found: SystemStatus, url: str) -> None:
    """Print one line per modality."""
    OUT.print(f"MediFlow {found.api_version} at {url}")
    table = Table.grid(padding=(0, 2))
    for name, state in found.modalities.items():
        word = Text("ready", "green") if state.ready else Text("not ready", "bold red")
        why = "" if state.breaker == "closed" else f"breaker {state.breaker}: it failed repeatedly"
        table.add_row("", name, word, Text(why, "dim"))
    OUT.print(table)
    if len(found.ready) < len(found.modalities):
        OUT.print("What is not ready is starting, or has no model. `mediflow doctor` says why.")
