"""Options that several commands share, and the gateway that they name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from client.connection import Patience
from client.display import show_error
from client.errors import MediFlowError, UnusableInput
from client.exits import Exit, exit_of
from client.mediflow import MediFlow

Url = Annotated[str, typer.Option("--url", envvar="MEDIFLOW_URL", help="Address of the gateway.")]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="MEDIFLOW_API_KEY",
        help="API key. The variable is safer: options show in the list of processes.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ModalityName = Annotated[
    str | None,
    typer.Option(
        "--modality",
        "-m",
        help="Kind of input, such as chest-xray; without it, it is found out.",
        show_default=False,
    ),
]

#: What is asked for goes here and can be piped; into a pipe, lines are not folded to a screen.
OUT = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200)
#: What is said about it goes here.
ERR = Console(stderr=True, highlight=False, markup=False)


@contextmanager
def connected(
    url: str, api_key: str | None, patience: Patience | None = None
) -> Iterator[MediFlow]:
    """Open the gateway; end the command with the right code when it refuses or is not there."""
    with explained(), MediFlow(url, api_key=api_key, patience=patience) as mediflow:
        yield mediflow


@contextmanager
def explained() -> Iterator[None]:
    """Say what went wrong and what to do, and leave with the code for it."""
    try:
        yield
    except MediFlowError as error:
        show_error(ERR, error)
        code = Exit.USAGE if isinstance(error, UnusableInput) else exit_of(error)
        raise typer.Exit(code) from error
