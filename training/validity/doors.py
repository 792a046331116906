"""Every kind of picture at every door: what the image models do with what is not theirs.

Each picture is written as the PNG that somebody would upload and answered by the code that
serves. Nothing here fits anything; photographs may be measured, never learned from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from contracts.checkpoint import load_checkpoint
from contracts.registry import get_modality
from training.evaluation.answer_images import answer_images
from training.fit.inputs import loader_for
from training.manifest import CAL, TEST, VAL, Manifest, Row, read_manifest
from training.measure.bootstrap import wilson
from training.release.card_tables import markdown_table
from training.validity.pictures import generate

#: Parts of a manifest that taught nothing; `test` comes first.
HELD_BACK = (TEST, CAL, VAL)
GENERATED = "generated"
_SEED, _SIDE = 7, 320
_SUFFIXES = (".jpg", ".jpeg", ".png")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Visit:
    """What one model did with the pictures of one kind: how many, and each outcome's number."""

    model: str
    kind: str
    inputs: int
    outcomes: Counter[str]

    def share(self, *outcomes: str) -> str:
        """`12/60 (0.12–0.32)`: inputs with one of these outcomes, with the Wilson interval."""
        count = sum(self.outcomes[outcome] for outcome in outcomes)
        low, high = wilson(count, self.inputs)
        return f"{count}/{self.inputs} ({low:.3f}–{high:.3f})"


def write_kinds(sources: Sequence[Path], folder: Path, count: int) -> dict[str, list[Path]]:
    """Write up to `count` pictures of each kind as PNG and return them by kind.

    A source is a manifest (its kind is its modality, its pictures are those that taught nothing)
    or a folder of JPEG and PNG (its kind is its name). Drawn pictures of no kind are added.
    """
    kinds = {GENERATED: _write(_drawn(count), folder / GENERATED)}
    for source in sources:
        if source.is_dir():
            names = sorted(path for path in source.iterdir() if path.suffix.lower() in _SUFFIXES)
            kinds[source.name] = _spread(names, count)
        else:
            manifest = read_manifest(source)
            pictures = _of_manifest(manifest, count)
            kinds[manifest.modality] = _write(pictures, folder / manifest.modality)
    return kinds


def visit_all(models: Sequence[Path], kinds: dict[str, list[Path]]) -> Iterator[Visit]:
    """Yield what each model file does with each kind; the model's folder names its modality."""
    for path in models:
        modality = get_modality(path.resolve().parent.name)
        checkpoint = load_checkpoint(path, modality)
        for kind, files in kinds.items():
            rows = [Row(str(file), file, "") for file in files]
            outcomes = Counter(
                answer.outcome for answer in answer_images(checkpoint, rows, modality)
            )
            yield Visit(modality.id, kind, len(rows), outcomes)


def door_table(visits: Sequence[Visit]) -> str:
    """The matrix as Markdown; what could not be decoded counts as rejected."""
    head = ("model", "input", "rejected", "abstained", "accepted")
    return markdown_table(
        head,
        [
            (
                visit.model,
                f"{visit.kind} (own)" if visit.kind == visit.model else visit.kind,
                visit.share("rejected", "error"),
                visit.share("abstained"),
                visit.share("accepted"),
            )
            for visit in visits
        ],
    )


def _of_manifest(manifest: Manifest, count: int) -> Iterator[Image.Image]:
    """Held-back pictures, every other record as somebody would photograph its page."""
    modality = get_modality(manifest.modality)
    part = next((part for part in HELD_BACK if manifest.part(part)), TEST)
    rows = _spread(manifest.part(part), count)
    load = loader_for(rows, modality)
    for index in range(len(rows)):
        yield load(index, index % 2 if modality.render else 0)


def _drawn(count: int) -> Iterator[Image.Image]:
    """Noise, textures, collages and text-like pages that no fit has seen."""
    random = np.random.default_rng(_SEED)
    for _ in range(count):
        yield Image.fromarray(generate(random, _SIDE, _SIDE))


def _write(pictures: Iterator[Image.Image], folder: Path) -> list[Path]:
    """Write pictures as PNG, numbered."""
    folder.mkdir(parents=True)
    paths = []
    for index, picture in enumerate(pictures):
        paths.append(folder / f"{index:04}.png")
        picture.save(paths[-1])
    return paths


def _spread(items: Sequence[Item], count: int) -> list[Item]:
    """Up to `count` items, evenly spread."""
    return list(items[:: max(1, len(items) // count)][:count])
