"""`python -m bench.decodes DATA`: does the reduced decode change an answer?

`DATA` holds `originals/<kind>` (files as a user uploads them) and `chest/test` (films of 224
pixels). Films are enlarged five times and encoded again, since large films are rare.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from bench.pairs import apart, load, logits_of, tensor_of, tensor_of_image
from bench.parts import KEPT, Part, keep_part
from bench.server import ROOT
from contracts.preprocessing import reduced_side, to_base
from deploy.procfile import model_file
from vision_service.model import VisionModel
from vision_service.parity import Parity

REDUCED_TOLERANCE = 0.01
COPY_TOLERANCE = 0.02
ENLARGEMENT = 5
KINDS = {"chest": "chest-xray", "skin": "skin-lesion", "breast": "breast-ultrasound"}


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison and what it allows."""

    what: str
    inputs: int
    parity: Parity
    tolerance: float

    @property
    def holds(self) -> bool:
        """True when no answer changed and no probability moved beyond the tolerance."""
        return self.parity.flips == 0 and self.parity.max_difference <= self.tolerance


def main() -> int:
    """Compare, and keep the table for the page; 1 when a tolerance is passed."""
    parser = argparse.ArgumentParser(prog="python -m bench.decodes", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--films", type=int, default=200)
    arguments = parser.parse_args()
    found = compare_all(arguments.data, arguments.films)
    keep_part(_part(found), KEPT, "2-decodes")
    for one in found:
        print(f"{one.what}: {one.inputs} inputs, {one.parity}, holds: {one.holds}")
    return 0 if all(one.holds for one in found) else 1


def compare_all(data: Path, films: int) -> tuple[Compared, ...]:
    """Return every comparison, on the released models and the backend that serves them."""
    found: list[Compared] = []
    for kind, modality in KINDS.items():
        model = load(model_file(modality, ROOT), "onnxruntime")
        originals = [path.read_bytes() for path in sorted((data / "originals" / kind).iterdir())]
        found.append(reduced(f"{modality}: originals", originals, model))
        found.append(copies(f"{modality}: originals against their small copies", originals, model))
        if kind == "chest":
            enlarged = list(enlarge(sorted((data / "chest" / "test").glob("*/*"))[::_STEP], films))
            found.append(
                reduced(f"{modality}: test films enlarged {ENLARGEMENT} ×", enlarged, model)
            )
    return tuple(found)


#: Takes films from the whole of the test part and from both classes.
_STEP = 3


def enlarge(paths: Sequence[Path], most: int) -> Iterator[bytes]:
    """Yield JPEG files of films enlarged and encoded again."""
    for path in paths[:most]:
        with Image.open(path) as film:
            size = (film.width * ENLARGEMENT, film.height * ENLARGEMENT)
            buffer = io.BytesIO()
            film.resize(size, Image.Resampling.BICUBIC).save(buffer, format="JPEG", quality=92)
        yield buffer.getvalue()


def reduced(what: str, files: Sequence[bytes], model: VisionModel) -> Compared:
    """Compare the reduced decode with the whole one."""
    side = reduced_side(model.image)
    ours = logits_of((tensor_of(payload, model, side) for payload in files), model)
    whole = logits_of((tensor_of(payload, model) for payload in files), model)
    return Compared(
        f"{what}, reduced decode", len(files), apart(ours, whole, model), REDUCED_TOLERANCE
    )


def copies(what: str, files: Sequence[bytes], model: VisionModel) -> Compared:
    """Compare files as they are served with their copies at the size of the training data."""
    side = reduced_side(model.image)
    ours = logits_of((tensor_of(payload, model, side) for payload in files), model)
    small = logits_of((tensor_of_image(_copy(payload, model), model) for payload in files), model)
    return Compared(what, len(files), apart(ours, small, model), COPY_TOLERANCE)


def _copy(payload: bytes, model: VisionModel) -> Image.Image:
    with Image.open(io.BytesIO(payload)) as image:
        base = to_base(image.convert("RGB"), model.image)
    buffer = io.BytesIO()
    base.save(buffer, format="JPEG", quality=95)
    return Image.open(buffer)


def _part(found: Sequence[Compared]) -> Part:
    return Part(
        title="The reduced decode",
        text="Answers on the picture decoded at 1/2, 1/4 or 1/8 of its size against the whole "
        "decode, and answers on an original against its small copy.",
        columns=("inputs", "number", "max abs Δp", "allowed", "changed answers"),
        rows=tuple(
            (
                one.what,
                str(one.inputs),
                f"{one.parity.max_difference:.4f}",
                f"{one.tolerance:g}",
                str(one.parity.flips),
            )
            for one in found
        ),
        command="python -m bench.decodes DATA",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
    )


if __name__ == "__main__":
    sys.exit(main())
