"""Merging what belongs together: names connected by a shared property become one group."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence


def connected(names: Sequence[str], links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Map each name to the smallest name that it is connected to, directly or by others."""
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for one, other in links:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return {name: root(name) for name in names}


def links_of_equal(names: Sequence[str], properties: Sequence[Hashable]) -> list[tuple[str, str]]:
    """One link for every name whose property an earlier name has."""
    first: dict[Hashable, str] = {}
    return [
        (first.setdefault(value, name), name)
        for name, value in zip(names, properties, strict=True)
        if first.setdefault(value, name) != name
    ]
