"""DDXPlus in its published layout to a manifest, and the modality that its files describe.

    release_conditions.json                      pathologies: the labels
    release_evidences.json                       questions and their values: the vocabulary
    release_{train,validate,test}_patients       CSV, also as .csv or inside a .zip

A yes-or-no evidence is one term (`E_48`), a value of any other one too (`E_54_@_V_161`); a value
that equals the question's default says "nothing special" and is no term. Age and sex are kept as
attributes. Fansi Tchango et al. 2022, CC BY 4.0.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from contracts.modalities.symptoms import SYMPTOMS
from contracts.modality import Label, Modality, Term
from training.manifest import CAL, TEST, TRAIN, Manifest, Row, file_sha256, write_manifest
from training.prepare.scan import BadData

CONDITIONS, EVIDENCES = "release_conditions.json", "release_evidences.json"
SPLITS = {"train": TRAIN, "validate": CAL, "test": TEST}
VALUE = "_@_"


def is_layout(data: Path) -> bool:
    """True when the folder holds the two description files."""
    return (data / CONDITIONS).exists() and (data / EVIDENCES).exists()


def prepare(data: Path, out: Path, *, exclude: Collection[str] = ()) -> Manifest:
    """Write the manifest of all patients in `data` and return it; raise BadData when damaged.

    The manifest names no modality of the registry: labels and terms are those of DDXPlus, so
    `train` refuses it. `read_modality` describes it to code that fits the method.
    """
    labels = {name: _code(name) for name in _read_json(data / CONDITIONS)}
    evidences = _read_json(data / EVIDENCES)
    barred = set(exclude)
    rows = [
        row
        for split in SPLITS
        for row in _patients(data, split, labels, evidences)
        if row.id not in barred
    ]
    if not rows:
        raise BadData(f"{data}: holds no patients.")
    meta: dict[str, object] = {"source": "DDXPlus, CC BY 4.0", "vocabulary": "DDXPlus"}
    return write_manifest(out, Manifest("", tuple(rows), meta))


def read_modality(data: Path) -> Modality:
    """Return the modality of the data set: its own labels and vocabulary, no triage, no flags."""
    labels = tuple(Label(_code(name), name) for name in sorted(_read_json(data / CONDITIONS)))
    evidences = _read_json(data / EVIDENCES)
    terms = [term for code in evidences for term in _terms(code, evidences[code])]
    return replace(
        SYMPTOMS,
        labels=labels,
        vocabulary=tuple(Term(term, term) for term in terms),
        triage=(),
        critical=(),
        red_flags=(),
    )


def _read_json(path: Path) -> dict[str, Any]:
    """One description file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadData(f"{path}: cannot be read as JSON.") from error
    if not isinstance(found, dict):
        raise BadData(f"{path}: is no JSON object.")
    return found


def _code(name: str) -> str:
    """A stable label code from a pathology's name."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def _terms(code: str, evidence: Mapping[str, Any]) -> list[str]:
    """The terms of one question: itself, or one per value other than the default."""
    values = evidence.get("possible-values") or []
    if evidence.get("data_type") == "B" or not values:
        return [code]
    default = str(evidence.get("default_value"))
    return [f"{code}{VALUE}{value}" for value in values if str(value) != default]


def _patients(
    data: Path, split: str, labels: Mapping[str, str], evidences: Mapping[str, Any]
) -> Iterator[Row]:
    """The patients of one part, if its file is there."""
    known = {term for code in evidences for term in _terms(code, evidences[code])}
    source = _source(data, split)
    if source is None:
        return
    digest = file_sha256(source)
    for number, cells in enumerate(csv.DictReader(io.StringIO(_text(source))), start=1):
        name = f"{split}-{number:07d}"
        try:
            given = ast.literal_eval(cells["EVIDENCES"])
            document = {"symptoms": [term for term in given if term in known]}
            label = labels[cells["PATHOLOGY"]]
            attributes = {"input": json.dumps(document), "age": cells["AGE"], "sex": cells["SEX"]}
        except (KeyError, ValueError, SyntaxError, TypeError) as error:
            raise BadData(f"{source}: patient {number} is not in the published form.") from error
        yield Row(name, source, label, SPLITS[split], name, digest, attributes)


def _source(data: Path, split: str) -> Path | None:
    """The file of one part, whatever its suffix."""
    stem = f"release_{split}_patients"
    return next((p for end in ("", ".csv", ".zip") if (p := data / (stem + end)).is_file()), None)


def _text(source: Path) -> str:
    """The CSV text of a file or of the one file in an archive."""
    if source.suffix != ".zip":
        return source.read_text(encoding="utf-8")
    try:
        with zipfile.ZipFile(source) as archive:
            return archive.read(archive.namelist()[0]).decode("utf-8")
    except (zipfile.BadZipFile, IndexError) as error:
        raise BadData(f"{source}: is no archive of one file.") from error
