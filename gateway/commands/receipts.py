"""`python -m gateway receipts verify`: check a receipt, its file, and the answer once more."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from pydantic import ValidationError

from contracts.receipts import (
    BadReceipt,
    Receipt,
    check_input,
    differences,
    load_public_key,
    verify_receipt,
)
from contracts.schemas import Prediction
from gateway.upload import pack_record

app = typer.Typer(no_args_is_help=True, help="Check signed receipts.")

TIMEOUT_SECONDS = 30.0
API_KEY_VARIABLE = "MEDIFLOW_API_KEY"


@app.callback()
def receipts() -> None:
    """Keep `verify` a sub-command."""


@app.command()
def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt as it was received (JSON).")],
    key: Annotated[Path, typer.Option(help="Public key (PEM), or the answer of /v1/receipts/key.")],
    file: Annotated[
        list[Path] | None, typer.Option(help="The input; .hea and .dat as two files.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="A gateway to ask the file once more.")] = None,
) -> None:
    """Check the signature; with a file also its hash; with a gateway also the numbers.

    An API key for the gateway is read from the environment (MEDIFLOW_API_KEY). Exit 1 when
    anything does not hold.
    """
    try:
        checked = verify_receipt(_read_json(receipt), load_public_key(_read_key(key)))
        typer.echo(f"signature holds: prediction {checked.prediction_id} of {checked.time}")
        if file:
            payload = _read_input(file)
            check_input(checked, payload)
            typer.echo("input is the one that was answered")
            if url is not None:
                _repeat(checked, payload, url)
        elif url is not None:
            raise BadReceipt("to ask again, name the input with --file")
    except (BadReceipt, OSError) as error:
        typer.echo(f"does not hold: {error}", err=True)
        raise typer.Exit(1) from error


def _repeat(receipt: Receipt, payload: bytes, url: str) -> None:
    """Ask the gateway again; raise BadReceipt when the answer is another."""
    found = differences(receipt, _ask(receipt, payload, url))
    if found:
        raise BadReceipt("; ".join(found))
    typer.echo("the same model gives the same answer again")


def _ask(receipt: Receipt, payload: bytes, url: str) -> Prediction:
    """Send the input with the options of the receipt."""
    headers = {"Content-Type": receipt.input_media_type}
    if api_key := os.environ.get(API_KEY_VARIABLE):
        headers["Authorization"] = f"Bearer {api_key}"
    try:
        response = httpx2.post(
            f"{url.rstrip('/')}/v1/{receipt.modality}/predictions",
            params={name: json.dumps(value) for name, value in receipt.options.items()},
            content=payload,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
        response.raise_for_status()
        return Prediction.model_validate_json(response.content)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValidationError) as error:
        raise BadReceipt(f"the gateway gave no answer ({type(error).__name__})") from error


def _read_json(path: Path) -> dict[str, object]:
    """Read a JSON object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadReceipt(f"{path.name} is no JSON") from error
    if not isinstance(document, dict):
        raise BadReceipt(f"{path.name} is no JSON object")
    return document


def _read_key(path: Path) -> str:
    """Return the PEM text of a key file."""
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("{"):
        return str(_read_json(path).get("public_key_pem", ""))
    return text


def _read_input(paths: list[Path]) -> bytes:
    """Return the bytes that were answered: the file, or the two of a record as they are packed."""
    if len(paths) == 1:
        return paths[0].read_bytes()
    parts = {path.suffix.lower(): path.read_bytes() for path in paths}
    if len(paths) != 2 or parts.keys() != {".hea", ".dat"}:
        raise BadReceipt("name one file, or one .hea and one .dat")
    return pack_record(parts[".hea"], parts[".dat"])
