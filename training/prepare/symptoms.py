"""The public 132-column symptom table (`Training.csv`) to a manifest of its distinct rows.

The table repeats its rows (4,920, of which 304 differ), so a random split tests on what it has
trained on; `Testing.csv` holds nothing else either and is not read. Each distinct row is one
case with the group of its own. A folder with DDXPlus files is handed to `ddxplus`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection
from pathlib import Path

from contracts.modalities.symptoms import SYMPTOMS
from training.manifest import TRAIN, Manifest, Row, file_sha256, write_manifest
from training.prepare import ddxplus
from training.prepare.scan import BadData

FILE = "Training.csv"
#: The distinct spellings of the table's columns, in its order, are the vocabulary in ours.
COLUMNS = 132
#: The table's spelling of each disease, in the order of the registry's labels.
DISEASES = (
    "(vertigo) Paroymsal  Positional Vertigo",
    "AIDS",
    "Acne",
    "Alcoholic hepatitis",
    "Allergy",
    "Arthritis",
    "Bronchial Asthma",
    "Cervical spondylosis",
    "Chicken pox",
    "Chronic cholestasis",
    "Common Cold",
    "Dengue",
    "Diabetes",
    "Dimorphic hemmorhoids(piles)",
    "Drug Reaction",
    "Fungal infection",
    "GERD",
    "Gastroenteritis",
    "Heart attack",
    "Hepatitis B",
    "Hepatitis C",
    "Hepatitis D",
    "Hepatitis E",
    "Hypertension",
    "Hyperthyroidism",
    "Hypoglycemia",
    "Hypothyroidism",
    "Impetigo",
    "Jaundice",
    "Malaria",
    "Migraine",
    "Osteoarthristis",
    "Paralysis (brain hemorrhage)",
    "Peptic ulcer diseae",
    "Pneumonia",
    "Psoriasis",
    "Tuberculosis",
    "Typhoid",
    "Urinary tract infection",
    "Varicose veins",
    "hepatitis A",
)


def prepare(data: Path, out: Path, *, exclude: Collection[str] = ()) -> Manifest:
    """Write the manifest of the table in `data` to `out` and return it.

    `exclude` names cases (`malaria-03`) to keep out. Raise BadData for another layout.
    """
    if ddxplus.is_layout(data):
        return ddxplus.prepare(data, out, exclude=exclude)
    source = next((path for path in (data / FILE, data / "symptoms" / FILE) if path.exists()), None)
    if source is None:
        raise BadData(f"{data}: holds no {FILE}.")
    cases = sorted(_distinct(source))
    digest = file_sha256(source)
    rows, count = [], dict.fromkeys(SYMPTOMS.codes, 0)
    for code, terms in cases:
        count[code] += 1
        name = f"{code}-{count[code]:02d}"
        document = json.dumps({"symptoms": list(terms)})
        rows.append(Row(name, source, code, TRAIN, name, digest, {"input": document}))
    meta: dict[str, object] = {
        "source": "Public table of 132 symptom columns and 41 diseases, synthetic, no licence "
        "stated; used for fitting, not shipped",
        "distinct_rows": len(rows),
    }
    kept = tuple(row for row in rows if row.id not in set(exclude))
    return write_manifest(out, Manifest(SYMPTOMS.id, kept, meta))


def _distinct(source: Path) -> set[tuple[str, tuple[str, ...]]]:
    """The distinct (label code, term ids) of the table, ids in vocabulary order."""
    codes = dict(zip(DISEASES, SYMPTOMS.codes, strict=True))
    with source.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream)
        terms = _terms(source, next(reader, []))
        try:
            return {
                (codes[cells[COLUMNS].strip()], _present(cells, terms))
                for cells in reader
                if any(cells)
            }
        except (IndexError, KeyError) as error:
            raise BadData(f"{source}: a row is short or names an unknown disease.") from error


def _terms(source: Path, header: list[str]) -> list[str]:
    """The term id of each of the 132 columns; a spelling that stands twice is one term."""
    spellings = list(dict.fromkeys(header[:COLUMNS]))
    ids = [term.id for term in SYMPTOMS.vocabulary]
    if len(header) <= COLUMNS or len(spellings) != len(ids):
        raise BadData(f"{source}: the header is not that of the 132-column table.")
    by_spelling = dict(zip(spellings, ids, strict=True))
    return [by_spelling[spelling] for spelling in header[:COLUMNS]]


def _present(cells: list[str], terms: list[str]) -> tuple[str, ...]:
    """The ids of the columns that hold 1, each once."""
    return tuple(
        dict.fromkeys(
            term for term, cell in zip(terms, cells[:COLUMNS], strict=True) if cell.strip() == "1"
        )
    )
