"""One thing that the doctor looked at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`fault` keeps something from working; `note` is worth knowing; `ok` needs nothing."""

    subject: str
    state: Literal["ok", "note", "fault"]
    message: str
    remedy: str = ""
