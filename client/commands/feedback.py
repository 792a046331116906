"""`mediflow feedback PREDICTION_ID`: say whether an answer was right."""

from __future__ import annotations

from typing import Annotated

import typer

from client.commands.options import OUT, ApiKey, Url, connected, explained
from client.connection import DEFAULT_URL
from client.errors import UnusableInput


def feedback(
    prediction_id: Annotated[str, typer.Argument(help="As the answer names it.")],
    agree: Annotated[
        bool | None, typer.Option("--agree/--disagree", help="Was it right?", show_default=False)
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="The right label; several findings joined with `;`.")
    ] = None,
    comment: Annotated[
        str | None, typer.Option(help="Why: a code, such as false_finding or image_quality.")
    ] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
) -> None:
    """Say whether an answer was right. The site learns from it; the latest word counts."""
    with explained():
        if agree is None and label is None:
            raise UnusableInput("Say --agree, --disagree, or name the right one with --label.")
    with connected(url, api_key) as mediflow:
        stored = mediflow.feedback(
            prediction_id, agree=bool(agree), corrected_label=label, comment_code=comment
        )
    OUT.print(f"Stored as feedback {stored.feedback_id} on {stored.prediction_id}.")
