"""Which modality an input is for, where the caller did not say."""

from __future__ import annotations

import json
from collections.abc import Sequence

from client.catalogue import ModalityEntry
from client.errors import UnusableInput
from client.inputs import JPEG, JSON, PNG, Input
from client.mediflow import MediFlow


def modality_for(item: Input, offered: Sequence[ModalityEntry]) -> str | None:
    """Return the one modality that takes such an input; None for an image.

    What an image shows is found out by the gateway, with its models. Raises UnusableInput when
    no modality takes the input, or more than one.
    """
    if item.media_type in (JPEG, PNG):
        return None
    takers = [entry.id for entry in offered if _takes(entry, item)]
    if len(takers) != 1:
        raise UnusableInput("It does not show what it is; say so with --modality.")
    return takers[0]


def find_modality(item: Input, mediflow: MediFlow) -> str:
    """Return the modality of an input; an image is analysed once to find out."""
    return modality_for(item, mediflow.modalities()) or mediflow.analyze(item).modality


def _takes(entry: ModalityEntry, item: Input) -> bool:
    """True when type and, for a table, the members fit."""
    if item.media_type not in entry.media_types:
        return False
    if item.media_type != JSON:
        return True
    if not entry.columns:
        return entry.id in _members(item)  # {"symptoms": […]}
    required = {column.name for column in entry.columns if column.required}
    return bool(required & _members(item))


def _members(item: Input) -> set[str]:
    """The names in a JSON object."""
    try:
        row = json.loads(item.payload)
    except (ValueError, RecursionError) as error:
        raise UnusableInput("This is no valid JSON.") from error
    return set(row) if isinstance(row, dict) else set()
