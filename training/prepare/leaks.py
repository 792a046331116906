"""The check that refuses to train on a leak: nothing may stand in two parts of a manifest.

A group, the same bytes, or a near-duplicate image in two parts is a leak; the same bytes under
two labels are a contradiction. The files' bytes are compared with the manifest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from contracts.modality import Kind
from contracts.registry import MODALITIES
from training.manifest import HELD_OUT, UNUSED, BadManifest, Manifest, Row, file_sha256
from training.prepare.fingerprint import (
    DuplicateRule,
    Thumbnail,
    open_grey,
    perceptual_hash,
    thumbnail,
)

Pair = tuple[Row, Row]
_IGNORED = frozenset({UNUSED, HELD_OUT})
_BLOCK = 512
_NAMED_PAIRS = 10


def _split(row: Row) -> str:
    return row.split


def _label(row: Row) -> str:
    return row.label


class LeakFound(BadManifest):
    """Two rows that must not stand where they stand; `pairs` holds their ids."""

    def __init__(self, why: str, pairs: Sequence[Pair]) -> None:
        """`why` is the fault in words; the message names the first ten pairs."""
        self.pairs = tuple((one.id, other.id) for one, other in pairs)
        named = "; ".join(
            f"{one.id} ({one.split}, {one.label}) and {other.id} ({other.split}, {other.label})"
            for one, other in pairs[:_NAMED_PAIRS]
        )
        more = len(pairs) - _NAMED_PAIRS
        super().__init__(f"{why}: {named}{f'; and {more} more pairs' if more > 0 else ''}.")


def check_manifest(manifest: Manifest) -> None:
    """Raise LeakFound for a leak, and BadManifest for a file that is missing or was changed.

    Rows of the parts `unused` and `held_out` are not looked at.
    """
    rows = [row for row in manifest.rows if row.split not in _IGNORED]
    digests = check_files(rows)
    _refuse("A group stands in two parts", _across(rows, lambda row: row.group, _split))
    _refuse("The same bytes stand in two parts", _across(rows, lambda r: digests[r.id], _split))
    _refuse("The same bytes have two labels", _across(rows, lambda r: digests[r.id], _label))
    if _holds_images(manifest):
        rule = DuplicateRule.from_meta(manifest.meta)
        _refuse("Near-duplicate images stand in two parts", find_near_duplicates(rows, rule))


def check_files(rows: Iterable[Row]) -> dict[str, str]:
    """The SHA-256 of each row's file by id; raise BadManifest if one is missing or was changed."""
    digests: dict[str, str] = {}
    for row in rows:
        try:
            digests[row.id] = file_sha256(row.path)
        except OSError as error:
            raise BadManifest(f"{row.id}: {row.path} cannot be read.") from error
        if row.sha256 and row.sha256 != digests[row.id]:
            raise BadManifest(f"{row.id}: {row.path} is not the file that the manifest names.")
    return digests


def find_near_duplicates(
    rows: Sequence[Row], rule: DuplicateRule, apart: Callable[[Row], str] = _split
) -> list[Pair]:
    """Pairs of images that are the same picture by the rule, but differ in `apart` (the part).

    The perceptual hash is taken from the column `phash`, or computed where it is missing.
    """
    rows = [row for row in rows if row.split not in _IGNORED]
    sides = [apart(row) for row in rows]
    if len(set(sides)) < 2:
        return []
    cache: dict[str, Thumbnail] = {}

    def grey(row: Row) -> Thumbnail:
        if row.id not in cache:
            cache[row.id] = thumbnail(open_grey(row.path, rule.fit))
        return cache[row.id]

    return [
        (one, other)
        for one, other in _candidates(rows, sides, rule)
        if float(grey(one) @ grey(other)) > rule.correlation
    ]


def _candidates(rows: Sequence[Row], sides: Sequence[str], rule: DuplicateRule) -> list[Pair]:
    """Pairs on different sides whose hashes differ in at most `phash_max` bits."""
    hashes = np.array([_hash_of(row, rule) for row in rows], dtype=np.uint64)
    _, codes = np.unique(np.array(sides), return_inverse=True)
    found: list[Pair] = []
    for start in range(0, len(rows), _BLOCK):
        stop = start + _BLOCK
        near = _hamming(hashes[start:stop], hashes) <= rule.phash_max
        near &= codes[start:stop, None] != codes[None, :]
        for one, other in zip(*np.nonzero(near), strict=True):
            if start + one < other:
                found.append((rows[start + int(one)], rows[int(other)]))
    return found


def _hamming(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    distances: NDArray[np.uint8] = np.bitwise_count(one[:, None] ^ other[None, :])
    return distances


def _hash_of(row: Row, rule: DuplicateRule) -> int:
    text = row.attributes.get("phash") or perceptual_hash(open_grey(row.path, rule.fit))
    try:
        value = int(text, 16)
    except ValueError as error:
        raise BadManifest(f"{row.id}, column phash: is no hexadecimal number.") from error
    if not 0 <= value < 1 << 64:
        raise BadManifest(f"{row.id}, column phash: has more than 64 bits.")
    return value


def _across(
    rows: Iterable[Row], key: Callable[[Row], str], property_of: Callable[[Row], str]
) -> list[Pair]:
    """For each key with several properties, its first row with each further property."""
    seen: Mapping[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        seen[key(row)].setdefault(property_of(row), row)
    return [
        (first, other)
        for first, *others in (tuple(by_property.values()) for by_property in seen.values())
        for other in others
    ]


def _refuse(why: str, pairs: Sequence[Pair]) -> None:
    if pairs:
        raise LeakFound(why, pairs)


def _holds_images(manifest: Manifest) -> bool:
    return all(m.kind is Kind.IMAGE for m in MODALITIES if m.id == manifest.modality)
