"""`mediflow receipt get | verify`: fetch the signed record of an answer, and check one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import ERR, OUT, ApiKey, Url, connected, explained
from client.connection import DEFAULT_URL
from client.errors import UnusableInput
from client.exits import Exit
from client.inputs import Input
from client.mediflow import MediFlow
from contracts.receipts import (
    BadReceipt,
    Receipt,
    check_input,
    differences,
    load_public_key,
    verify_receipt,
)

app = typer.Typer(no_args_is_help=True, help="Fetch and check signed receipts.")


@app.command()
def get(
    prediction_id: Annotated[str, typer.Argument(help="As the answer names it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it here; else print it.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Fetch the receipt of an answer, with the key that asked for it."""
    with connected(url, api_key) as mediflow:
        text = json.dumps(mediflow.receipt(prediction_id), indent=2)
    if output:
        output.write_text(f"{text}\n", encoding="utf-8")
    else:
        typer.echo(text)


@app.command()
def key(url: Url = DEFAULT_URL, api_key: ApiKey = None) -> None:
    """Print the public key that verifies receipts (PEM). Keep it, so that it cannot be swapped."""
    with connected(url, api_key) as mediflow:
        typer.echo(mediflow.receipt_key().public_key_pem, nl=False)


@app.command()
def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt as it was received (JSON).")],
    key: Annotated[
        Path | None,
        typer.Option(help="Public key you kept (PEM, or the answer of /v1/receipts/key)."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="The input, to see that it is the one that was answered.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also ask the gateway again and compare the numbers.")
    ] = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Check the signature; with --file also the input; with --again also the numbers.

    Without --key the gateway is asked for the key, which proves only that it signed the receipt
    itself. Exit code 1 when anything does not hold.
    """
    with explained():
        if again and file is None:
            raise UnusableInput("To ask --again, name the input with --file.")
        document = _json_object(receipt)
        item = Input.of_path(file) if file else None
    with connected(url, api_key) as mediflow:
        pem = _pem(key) if key else mediflow.receipt_key().public_key_pem
        try:
            checked = _check(document, pem, item)
            if again and item:
                _repeat(checked, item, mediflow)
        except BadReceipt as error:
            ERR.print(f"Does not hold: {error}.", style="bold red")
            raise typer.Exit(Exit.NO) from error


def _check(document: dict[str, object], pem: str, item: Input | None) -> Receipt:
    """Check signature and input, and say what holds."""
    checked = verify_receipt(document, load_public_key(pem))
    OUT.print(f"Signature holds: prediction {checked.prediction_id} of {checked.time}.")
    if item:
        check_input(checked, item.payload)
        OUT.print("The file is the one that was answered.")
    return checked


def _repeat(checked: Receipt, item: Input, mediflow: MediFlow) -> None:
    """Ask again with the options of the receipt; BadReceipt when the answer is another."""
    prevalence, use_tta = checked.options.get("prevalence"), checked.options.get("use_tta")
    prediction = mediflow.predict(
        checked.modality,
        item,
        prevalence=None if prevalence is None else float(prevalence),
        use_tta=None if use_tta is None else bool(use_tta),
    )
    found = differences(checked, prediction)
    if found:
        raise BadReceipt("; ".join(found))
    OUT.print("The same model gives the same answer again.")


def _pem(path: Path) -> str:
    """Return the PEM text of a key file."""
    with explained():
        text = _text(path)
        if not text.lstrip().startswith("{"):
            return text
        return str(_json_object(path).get("public_key_pem", ""))


def _json_object(path: Path) -> dict[str, object]:
    """Read a JSON object."""
    try:
        document = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{path} is no JSON.") from error
    if not isinstance(document, dict):
        raise UnusableInput(f"{path} is no JSON object.")
    return document


def _text(path: Path) -> str:
    """Read a text file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"Cannot read {path}.") from error
