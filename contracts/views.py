"""Test-time augmentation: the views of one input, and the rule that was calibrated with them.

The logits of the views are averaged. A model file offers this only where validation showed a
gain; its own rule travels in the file beside the ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from contracts.errors import BadCheckpoint
from contracts.modality import DecisionRule
from contracts.release import Release

#: Name → change of an input tensor `[…, H, W]` that loses nothing.
VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda tensor: tensor,
    "flip_horizontal": lambda tensor: tensor.flip(-1),
    "flip_vertical": lambda tensor: tensor.flip(-2),
    "rotate_180": lambda tensor: tensor.flip((-2, -1)),
}
MEMBER = "tta"


@dataclass(frozen=True, slots=True)
class Views:
    """Which views are averaged, and the decision that was fitted on their average."""

    names: tuple[str, ...]
    decision: DecisionRule

    def of(self, tensor: Tensor) -> list[Tensor]:
        """Return the views of one input in order."""
        return [VIEWS[name](tensor).contiguous() for name in self.names]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for the model file's `extra`."""
        return {"views": list(self.names), "decision": asdict(self.decision)}


def views_of(release: Release) -> Views | None:
    """Return what the file offers, or None; raise BadCheckpoint for a view nobody knows."""
    plain = release.extra.get(MEMBER)
    if plain is None or "decision" not in plain:
        return None
    if unknown := set(plain["views"]) - set(VIEWS):
        raise BadCheckpoint(f"unknown views of an input: {len(unknown)}")
    members: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in plain["decision"].items()
    }
    return Views(tuple(plain["views"]), DecisionRule(**members))
