"""`mediflow doctor`: what keeps the system from working, and what to do.

The gateway is asked over HTTP like everywhere here. Installation, models, ports and machine are
looked at by `python -m deploy doctor`, in a process of its own: this package may import none of it,
and it is only there when the command was installed from a checkout, the place where a local system
runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from client.commands.options import OUT, ApiKey, AsJson, Url
from client.connection import DEFAULT_URL, Patience
from client.errors import MediFlowError, Refused, Unreachable
from client.exits import Exit
from client.mediflow import MediFlow

CHECKOUT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 180
#: Well formed and known to nobody: tells whether the key is let in.
_NO_PREDICTION = "0" * 32
_STYLES = {"ok": "green", "note": "yellow", "fault": "bold red"}


class Finding(BaseModel):
    """One thing that was looked at."""

    subject: str
    state: Literal["ok", "note", "fault"]
    message: str
    remedy: str = ""


def doctor(
    directory: Annotated[
        Path, typer.Option(help="The checkout whose local system is looked at.")
    ] = CHECKOUT,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Look at gateway, installation, models, ports, GPU and disk, and say what to do.

    Exit code 1 when there is a fault.
    """
    findings = [*_gateway(url, api_key), *_local(directory)]
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in findings], indent=2))
    else:
        _show(findings)
    raise typer.Exit(Exit.NO if any(one.state == "fault" for one in findings) else Exit.OK)


def _gateway(url: str, api_key: str | None) -> Iterator[Finding]:
    """Ask the gateway for its state, and whether it lets this key in."""
    subject = f"gateway at {url}"
    try:
        with MediFlow(url, api_key=api_key, patience=Patience(repeats=0)) as mediflow:
            found = mediflow.status()
            yield Finding(subject=subject, state="ok", message=f"answers, {found.api_version}")
            missing = [name for name in found.modalities if name not in found.ready]
            if missing:
                yield Finding(
                    subject=subject, state="note", message=f"not ready: {', '.join(missing)}"
                )
            yield _access(mediflow)
    except Unreachable as error:
        yield Finding(subject=subject, state="note", message=str(error))
    except MediFlowError as error:
        yield Finding(subject=subject, state="fault", message=str(error))


def _access(mediflow: MediFlow) -> Finding:
    """Ask for a receipt that cannot exist: a caller who is let in gets 404."""
    try:
        mediflow.receipt(_NO_PREDICTION)
    except Refused as error:
        if error.problem.status != 404:
            return Finding(subject="access", state="fault", message=str(error), remedy=error.advice)
    return Finding(subject="access", state="ok", message="this caller is let in")


def _local(directory: Path) -> list[Finding]:
    """Have the checkout look at itself; a note where there is none."""
    if not (directory / "deploy" / "doctor.py").exists():
        return [
            Finding(
                subject="installation",
                state="note",
                message="Only the client is installed here, so there is nothing more to look at.",
                remedy="Run `python -m deploy doctor` where the system runs.",
            )
        ]
    result = subprocess.run(
        [sys.executable, "-m", "deploy", "doctor", "--json"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    try:
        return TypeAdapter(list[Finding]).validate_json(result.stdout)
    except ValidationError:
        last = result.stderr.strip().rpartition("\n")[2]
        return [Finding(subject="installation", state="fault", message=last or "no answer")]


def _show(findings: list[Finding]) -> None:
    """Print one line per finding, with what to do below it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in findings:
        text = Text(one.message)
        if one.remedy:
            text.append(f"\n→ {one.remedy}", "bold")
        table.add_row(Text(one.state, _STYLES[one.state]), one.subject, text)
    OUT.print(table)
    faults = sum(one.state == "fault" for one in findings)
    OUT.print("No fault found." if not faults else f"{faults} to mend.")
