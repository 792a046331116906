"""`mediflow models`: the models that answer, or the card of one."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from client.catalogue import ModelEntry
from client.commands.options import OUT, ApiKey, AsJson, Url, connected
from client.connection import DEFAULT_URL
from client.mediflow import MediFlow


def models(
    modality: Annotated[
        str | None, typer.Argument(help="Show the card of this one.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """List the models, or show the card of one: data, intended use, limits, measured figures."""
    with connected(url, api_key) as mediflow:
        if modality is not None:
            _card(mediflow, modality, "json" if as_json else "markdown")
        elif as_json:
            entries = [entry.model_dump(mode="json") for entry in mediflow.models()]
            typer.echo(json.dumps(entries, indent=2))
        else:
            OUT.print(_table(mediflow.models()))


def _card(mediflow: MediFlow, modality: str, form: Literal["json", "markdown"]) -> None:
    """Print a card: laid out on a terminal, as it is into a pipe."""
    text = mediflow.card(modality, form).payload.decode()
    if form == "markdown" and OUT.is_terminal:
        OUT.print(Markdown(text))
    else:
        typer.echo(text)


def _table(entries: list[ModelEntry]) -> Table:
    """One line per model."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("modality", "version", "model", "computed by", "sha256"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        model = entry.model
        if model is None:
            table.add_row(entry.modality, "", Text("no model answers", "red"))
            continue
        table.add_row(
            entry.modality,
            model.version,
            model.arch,
            f"{model.backend}, {model.device}",
            model.sha256[:12],
        )
    return table
