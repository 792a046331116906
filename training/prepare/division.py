"""Dividing groups into parts, class by class, so that no group is split."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from training.manifest import CAL, TEST, TRAIN, VAL


def divide(
    groups: Sequence[str],
    labels: Sequence[str],
    shares: Mapping[str, float],
    *,
    seed: int,
    hard: Mapping[str, float] | None = None,
) -> dict[str, str]:
    """Map each group to a part, `train` taking what the shares leave.

    `groups` and `labels` are per image; a group counts under its most frequent label. Each part
    gets its share of the images of every label. With `hard` (a score in 0–1 per group), half of
    every part is drawn from the third of the groups with the highest scores.
    """
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group, label in zip(groups, labels, strict=True):
        sizes[group][label] += 1
    by_label: dict[str, list[str]] = defaultdict(list)
    for group, counts in sorted(sizes.items()):
        by_label[max(sorted(counts), key=counts.__getitem__)].append(group)
    generator = random.Random(seed)
    part_of: dict[str, str] = {}
    for _, members in sorted(by_label.items()):
        weights = {group: sum(sizes[group].values()) for group in members}
        part_of |= _divide_one(weights, shares, generator, hard)
    return part_of


def _divide_one(
    weights: Mapping[str, int],
    shares: Mapping[str, float],
    generator: random.Random,
    hard: Mapping[str, float] | None,
) -> dict[str, str]:
    total = sum(weights.values())
    rest = list(weights)
    generator.shuffle(rest)
    part_of: dict[str, str] = {}
    for part in (VAL, CAL, TEST):
        wanted = shares.get(part, 0.0) * total
        if hard is not None:
            pool = _hard_third(list(weights), hard)
            taken = _take([group for group in rest if group in pool], weights, wanted / 2)
            part_of |= dict.fromkeys(taken, part)
            wanted -= sum(weights[group] for group in taken)
            rest = [group for group in rest if group not in part_of]
        part_of |= dict.fromkeys(_take(rest, weights, wanted), part)
        rest = [group for group in rest if group not in part_of]
    return part_of | dict.fromkeys(rest, TRAIN)


def _hard_third(groups: list[str], hard: Mapping[str, float]) -> frozenset[str]:
    ranked = sorted(groups, key=lambda group: (-hard[group], group))
    return frozenset(ranked[: (len(ranked) + 2) // 3])


def _take(groups: list[str], weights: Mapping[str, int], wanted: float) -> list[str]:
    """Groups in the given order while each still brings the sum closer to what is wanted."""
    taken: list[str] = []
    missing = wanted
    for group in groups:
        if weights[group] / 2 <= missing:
            taken.append(group)
            missing -= weights[group]
    return taken
