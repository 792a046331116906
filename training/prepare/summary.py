"""What a prepared manifest holds, in words and numbers for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from training.manifest import Manifest


def published_note(found: Mapping[str, int], published: Mapping[str, int]) -> str:
    """One sentence on whether the images per label are those of the published set."""
    if dict(found) == dict(published):
        return "The counts are those of the published set."
    parts = ", ".join(f"{name} {found.get(name, 0)} of {published[name]}" for name in published)
    return f"The counts differ from the published set: {parts}."


def summarise(manifest: Manifest) -> str:
    """A table of images per part and label with the groups of each part, and the notes."""
    cells = Counter((row.split, row.label) for row in manifest.rows)
    splits = sorted({row.split for row in manifest.rows})
    labels = sorted({row.label for row in manifest.rows})
    widths = [max(len(label), 6) for label in labels]
    header = [label.rjust(width) for label, width in zip(labels, widths, strict=True)]
    lines = ["  ".join(["part".ljust(10), *header, "images", "groups"])]
    for split in splits:
        counts = [
            str(cells[split, label]).rjust(width)
            for label, width in zip(labels, widths, strict=True)
        ]
        rows = manifest.part(split)
        groups = len({row.group for row in rows})
        lines.append("  ".join([split.ljust(10), *counts, f"{len(rows):>6}", f"{groups:>6}"]))
    note = manifest.meta.get("counts")
    return "\n".join([*lines, str(note)] if note else lines)
