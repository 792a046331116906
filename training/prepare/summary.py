"""What a prepared manifest holds, in words and numbers for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from training.manifest import Manifest

#: Images per label of each image set as published.
PUBLISHED: Mapping[str, Mapping[str, int]] = {
    "chest-xray": {"NORMAL": 1583, "PNEUMONIA": 4273},
    "skin-lesion": {
        "akiec": 327,
        "bcc": 514,
        "bkl": 1099,
        "df": 115,
        "mel": 1113,
        "nv": 6705,
        "vasc": 142,
    },
    "breast-ultrasound": {"normal": 133, "benign": 437, "malignant": 210},
}


def summarise(manifest: Manifest) -> str:
    """A table of images per part and label with the groups of each part, and the set's total."""
    cells = Counter((row.split, row.label) for row in manifest.rows)
    labels = sorted({row.label for row in manifest.rows})
    table = [["part", *labels, "images", "groups"]]
    for split in sorted({row.split for row in manifest.rows}):
        rows = manifest.part(split)
        counts = [str(cells[split, label]) for label in labels]
        table.append([split, *counts, str(len(rows)), str(len({row.group for row in rows}))])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    return "\n".join([*lines, _compare(manifest)])


def _compare(manifest: Manifest) -> str:
    """One sentence on whether the images per label are those of the published set."""
    found = Counter(row.label for row in manifest.rows)
    published = PUBLISHED.get(manifest.modality)
    if published is None:
        return f"{len(manifest.rows)} images."
    if dict(found) == dict(published):
        return "The counts are those of the published set."
    parts = ", ".join(f"{name} {found[name]} of {count}" for name, count in published.items())
    return f"The counts differ from the published set: {parts}."
