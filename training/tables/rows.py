"""Manifest rows of tabular modalities: the JSON document of each.

The document stands in the column `input`; in a hand-made list `path` may name a JSON file
instead. Both are read by the parser that serves.
"""

from __future__ import annotations

from contracts.errors import ServiceError
from contracts.tables import Json, parse_json_object
from training.manifest import BadManifest, Row

INPUT = "input"


def document_of(row: Row) -> dict[str, Json]:
    """Return the JSON document of a row; raise BadManifest naming the row when there is none."""
    text = row.attributes.get(INPUT, "")
    try:
        payload = text.encode() if text else row.path.read_bytes()
        return parse_json_object(payload)
    except (OSError, ServiceError) as error:
        raise BadManifest(f"row {row.id}: its input cannot be read as JSON.") from error
