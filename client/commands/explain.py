"""`mediflow explain FILE`: what an answer rests on."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import OUT, ApiKey, AsJson, ModalityName, Url, connected
from client.connection import DEFAULT_URL
from client.display import show_answer
from client.exits import exit_of
from client.inputs import Input
from client.routing import find_modality
from contracts.schemas import Explanation


def explain(
    file: Annotated[Path, typer.Argument(help="Image, record or JSON row.")],
    modality: ModalityName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the overlay here (.png).")
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Analyse one file and show what the score rests on: a map for images, factors for tables."""
    with connected(url, api_key) as mediflow:
        item = Input.of_path(file)
        explanation = mediflow.explain(modality or find_modality(item, mediflow), item)
    if as_json:
        typer.echo(explanation.model_dump_json(indent=2))
    else:
        show_answer(OUT, file.name, explanation.prediction)
        _say(explanation, file, output)
    if output and explanation.overlay_png_base64:
        output.write_bytes(base64.b64decode(explanation.overlay_png_base64))
    raise typer.Exit(exit_of(explanation.prediction.outcome))


def _say(explanation: Explanation, file: Path, output: Path | None) -> None:
    """Say where the map is, or why there is none."""
    if explanation.withheld_reason:
        OUT.print(f"No map is shown: {explanation.withheld_reason}")
    elif explanation.overlay_png_base64 and output:
        OUT.print(f"Influence map for {explanation.target}: {output}")
    elif explanation.overlay_png_base64:
        OUT.print(f"There is an influence map; write it with --output {file.stem}-map.png")
