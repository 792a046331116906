"""Figures that a run measured: one JSON file per test in `runs/soak/`."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "runs" / "soak"


def keep(name: str, figures: dict[str, Any]) -> None:
    """Write the figures of a long run beside those of others, with the machine's."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    text = json.dumps({**figures, "machine": machine}, indent=1)
    (FOLDER / f"{name}.json").write_text(f"{text}\n")
