"""`mediflow report FILE`: one page to file, as PDF or HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import OUT, ApiKey, ModalityName, Url, connected
from client.connection import DEFAULT_URL
from client.errors import UnusableInput
from client.inputs import Input
from client.mediflow import REPORT_FORMS
from client.routing import find_modality


def report(
    file: Annotated[Path, typer.Argument(help="Image, record or JSON row.")],
    modality: ModalityName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write it here (.pdf or .html); else beside FILE."),
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Analyse one file and write the report: input, evidence, answer, limits, model, notice."""
    target = output or file.with_name(f"{file.stem}-report.pdf")
    with connected(url, api_key) as mediflow:
        form = target.suffix.lower().removeprefix(".")
        if form not in REPORT_FORMS:
            raise UnusableInput("A report ends in .pdf or .html.")
        item = Input.of_path(file)
        document = mediflow.report(modality or find_modality(item, mediflow), item, form)
    target.write_bytes(document.payload)
    OUT.print(f"Report: {target}")
