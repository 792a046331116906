"""Is every model file of the Procfile there, and is it the one that was released?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.finding import Finding
from deploy.procfile import Process


def examine_models(processes: Iterable[Process], root: Path) -> Iterator[Finding]:
    """Compare each model file with the digest beside it."""
    for process in processes:
        if process.modality:
            name = process.environment["SERVICE_CHECKPOINT"]
            yield _examine(f"model of {process.modality}", root / name, name)


def _examine(subject: str, file: Path, name: str) -> Finding:
    """Look at one model file; `name` is its path as the Procfile writes it."""
    try:
        expected = _digests(file.parent / "SHA256SUMS").get(file.name)
        if not file.exists():
            return _missing(subject, name, released=expected is not None)
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return Finding(
            subject, "fault", f"{name} cannot be read: {error.strerror}.", f"chmod a+r {name}"
        )
    if expected is None:
        return Finding(
            subject,
            "fault",
            f"There is no digest of {name} in SHA256SUMS, so its service will not start.",
            f"git checkout -- {Path(name).parent}",
        )
    if digest != expected:
        return Finding(
            subject,
            "fault",
            f"{name} is damaged or another file: its SHA-256 is not the released one.",
            f"git checkout -- {Path(name).parent}",
        )
    return Finding(subject, "ok", f"{name}, {file.stat().st_size / 1e6:.1f} MB, digest holds")


def _missing(subject: str, name: str, *, released: bool) -> Finding:
    """A released file that is gone is a fault; one that was never made is not."""
    if released:
        return Finding(
            subject, "fault", f"{name} is missing.", f"git checkout -- {Path(name).parent}"
        )
    return Finding(
        subject,
        "note",
        f"There is no {name}; its routes answer 503 model_unavailable.",
        "Train one: README, section Train on your own data.",
    )


def _digests(file: Path) -> dict[str, str]:
    """Digest by file name; empty without the file."""
    if not file.exists():
        return {}
    pairs = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return {pair[1].lstrip("*"): pair[0] for pair in pairs if len(pair) == 2}
