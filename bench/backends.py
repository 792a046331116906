"""`python -m bench.backends MANIFEST…`: does the compiled form answer as torch in float32 does?

Over the validation part of each manifest, for the newest released model of its modality.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.pairs import apart, load, logits_of
from bench.parts import KEPT, Part, keep_part
from bench.server import ROOT
from contracts.preprocessing import image_to_tensor
from deploy.procfile import model_file
from training.evaluation.predict import pictures
from training.manifest import VAL, read_manifest
from vision_service.parity import PROBABILITY_TOLERANCE, Parity


@dataclass(frozen=True, slots=True)
class Checked:
    """One model over its validation part."""

    modality: str
    inputs: int
    parity: Parity


def main() -> int:
    """Check every manifest and keep the table for the page; 1 when a tolerance is passed."""
    parser = argparse.ArgumentParser(prog="python -m bench.backends", description=__doc__)
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--inputs", type=int, help="at most, of each; spread over the whole part")
    arguments = parser.parse_args()
    found = tuple(check(path, arguments.inputs) for path in arguments.manifests)
    keep_part(_part(found), KEPT, "1-backends")
    for one in found:
        print(f"{one.modality}: {one.inputs} inputs, {one.parity}")
    return 0 if all(holds(one) for one in found) else 1


def check(manifest: Path, most: int | None = None) -> Checked:
    """Compare the backends over one validation part, or over so many inputs of it."""
    read = read_manifest(manifest)
    checkpoint = model_file(read.modality, ROOT)
    rows = [row for row in read.rows if row.split == VAL]
    if most is not None:
        rows = rows[:: max(1, -(-len(rows) // most))]
    compiled, plain = load(checkpoint, "onnxruntime"), load(checkpoint, "torch")
    render = plain.checkpoint.release.render
    tensors = [image_to_tensor(one, plain.image) for one in pictures(rows, plain.modality, render)]
    parity = apart(logits_of(tensors, compiled), logits_of(tensors, plain), plain)
    return Checked(read.modality, len(tensors), parity)


def holds(one: Checked) -> bool:
    """True when the goal is met: no changed answer, no probability moved beyond the tolerance."""
    return one.parity.flips == 0 and one.parity.max_difference <= PROBABILITY_TOLERANCE


def _part(found: tuple[Checked, ...]) -> Part:
    return Part(
        title="The compiled form against torch in float32",
        text="Largest difference of a probability and of a logit, and answers that changed, over "
        f"the validation part. Allowed: {PROBABILITY_TOLERANCE:g} and no changed answer.",
        columns=("model", "inputs", "max abs Δp", "max abs Δ logit", "changed answers"),
        rows=tuple(
            (
                one.modality,
                str(one.inputs),
                f"{one.parity.max_difference:.1e}",
                f"{one.parity.max_logit_difference:.1e}",
                str(one.parity.flips),
            )
            for one in found
        ),
        command="python -m bench.backends MANIFEST…",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
    )


if __name__ == "__main__":
    sys.exit(main())
