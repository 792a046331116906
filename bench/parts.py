"""Parts of the page that other commands measure, each kept in a file of its own."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.server import ROOT

#: Where figures of all parts wait until the page is written from them.
KEPT = ROOT / ".local" / "bench"
_SUFFIX = ".part.json"


class Part(BaseModel):
    """One section: a sentence or two, one table, and the command that made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    command: str
    date: str


def keep_part(part: Part, folder: Path, name: str) -> None:
    """Keep a part under a name; the page shows parts in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}{_SUFFIX}").write_text(part.model_dump_json(indent=1))


def read_parts(folder: Path) -> tuple[Part, ...]:
    """Return the parts that were kept."""
    files = sorted(folder.glob(f"*{_SUFFIX}"))
    return tuple(Part.model_validate_json(file.read_text()) for file in files)
