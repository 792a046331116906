"""Results on disk, one line per file as it is answered: CSV or JSON Lines, by the file's ending.

A run that was stopped goes on where it ended: whole lines with an answer are kept, failures and a
line that was cut off are asked again.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

from client.batch import Result
from client.errors import Refused, UnusableInput
from contracts.schemas import Prediction

COLUMNS = (
    "file",
    "input_sha256",
    "modality",
    "outcome",
    "label",
    "probability",
    "probabilities",
    "prediction_set",
    "reasons",
    "warnings",
    "triage",
    "model",
    "prediction_id",
    "error",
    "detail",
)
ENDINGS = (".csv", ".jsonl")


class ResultsFile:
    """An open file of results. Only one thread writes."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        """Raises UnusableInput for another ending, and for a file that exists unless `resume`."""
        if path.suffix not in ENDINGS:
            raise UnusableInput("The output must end in .csv or .jsonl.")
        if path.exists() and not resume:
            raise UnusableInput(f"{path} exists. Go on with --resume, or name another.")
        self._is_csv = path.suffix == ".csv"
        kept = self._read(path) if path.exists() else []
        self.answered = {str(row["file"]) for row in kept}
        part = path.with_name(f"{path.name}.part")
        part.write_text(self._head() + "".join(map(self._line, kept)), encoding="utf-8")
        part.replace(path)
        self._stream = path.open("a", encoding="utf-8", newline="")

    def add(self, result: Result) -> None:
        """Write one line and hand it to the system, so that it outlives this process."""
        self._stream.write(self._line(row_of(result) if self._is_csv else record_of(result)))
        self._stream.flush()

    def close(self) -> None:
        """Write everything down to the disk."""
        os.fsync(self._stream.fileno())
        self._stream.close()

    def _head(self) -> str:
        return _csv_line(COLUMNS) if self._is_csv else ""

    def _line(self, row: dict[str, object]) -> str:
        if self._is_csv:
            return _csv_line(row[name] for name in COLUMNS)
        return f"{json.dumps(row, ensure_ascii=False)}\n"

    def _read(self, path: Path) -> list[dict[str, object]]:
        """The whole lines that hold an answer."""
        if self._is_csv:
            with path.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.DictReader(lines))
            return [dict(row) for row in rows if row.get("outcome") and row.get("detail") == ""]
        found = (_loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        return [row for row in found if "prediction" in row]


def record_of(result: Result) -> dict[str, object]:
    """A result as a JSON object: the whole answer, or what went wrong."""
    if isinstance(result.end, Prediction):
        return {"file": str(result.file), "prediction": result.end.model_dump(mode="json")}
    error: dict[str, object] = {"code": result.end.code, "detail": str(result.end)}
    if isinstance(result.end, Refused):
        error = result.end.problem.model_dump(mode="json", exclude_none=True)
    return {"file": str(result.file), "error": error}


def row_of(result: Result) -> dict[str, object]:
    """A result as one row of the CSV."""
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    row |= {"file": str(result.file), "input_sha256": result.sha256}
    if not isinstance(result.end, Prediction):
        return row | {"error": result.end.code, "detail": str(result.end)}
    answer = result.end
    best = answer.probabilities.get(answer.label) if answer.label else None
    return row | {
        "modality": answer.modality,
        "outcome": answer.outcome.value,
        "label": answer.label or ";".join(f.label for f in answer.findings if f.positive),
        "probability": "" if best is None else f"{best:.6f}",
        "probabilities": ";".join(f"{name}={p:.6f}" for name, p in answer.probabilities.items()),
        "prediction_set": ";".join(answer.prediction_set),
        "reasons": ";".join(reason.code for reason in answer.reasons),
        "warnings": ";".join(warning.code for warning in answer.warnings),
        "triage": answer.triage.band if answer.triage else "",
        "model": f"{answer.model.name} {answer.model.version}",
        "prediction_id": answer.prediction_id or "",
    }


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _loads(line: str) -> dict[str, object]:
    """One line of JSON, empty where it was cut off."""
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
