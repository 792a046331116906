"""From a caller's list of words to entries of a closed vocabulary.

Understands ids, names and synonyms, whatever their case, hyphens and spaces; for anything else it
offers close entries of ours. What was sent is never repeated: an unknown entry is named by its
position. Standard library only.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.errors import InvalidField
from contracts.modality import RedFlag, Term
from contracts.schemas import Unrecognised
from contracts.tables import Json

FIELD = "symptoms"
MAX_ENTRIES = 64
MAX_CHARS = 100
MAX_SUGGESTIONS = 3
#: Similarity from which an entry is offered, and the longest text that is compared at all.
CUTOFF, MAX_COMPARED = 0.6, 40

_SEPARATORS = re.compile(r"[\s_\-/]+")


@dataclass(frozen=True, slots=True)
class TermList:
    """What was understood: ids in the caller's order, each once, and the positions not known."""

    recognised: tuple[str, ...]
    unrecognised: tuple[Unrecognised, ...]
    repeated: bool


class Vocabulary:
    """Looks up entries; built once per model."""

    def __init__(self, terms: Sequence[Term]) -> None:
        """Raises ValueError when one spelling stands for two entries."""
        self.ids = tuple(term.id for term in terms)
        self._by_spelling: dict[str, str] = {}
        for term in terms:
            for spelling in {_plain(text) for text in (term.id, term.name, *term.synonyms)}:
                if self._by_spelling.setdefault(spelling, term.id) != term.id:
                    raise ValueError(f"{spelling!r} stands for two entries")

    def find(self, text: str) -> str | None:
        """Return the id that a spelling stands for."""
        return self._by_spelling.get(_plain(text))

    def suggest(self, text: str) -> list[str]:
        """Return at most three ids whose spellings are close; none for very long text."""
        plain = _plain(text)
        if not plain or len(plain) > MAX_COMPARED:
            return []
        close = difflib.get_close_matches(plain, self._by_spelling, n=12, cutoff=CUTOFF)
        return list(dict.fromkeys(self._by_spelling[spelling] for spelling in close))[
            :MAX_SUGGESTIONS
        ]


def decode_terms(document: Mapping[str, Json], vocabulary: Vocabulary) -> TermList:
    """Return the terms of `{"symptoms": ["…", …]}`.

    Raises InvalidField (422): `missing_field`, `unknown_field`, `invalid_field` (no list of
    texts), `too_many_entries` or `text_too_long`.
    """
    entries = _entries(document)
    found = [vocabulary.find(entry) for entry in entries]
    recognised = tuple(dict.fromkeys(term for term in found if term is not None))
    unknown = tuple(
        Unrecognised(position=position, suggestions=vocabulary.suggest(entry))
        for position, (entry, term) in enumerate(zip(entries, found, strict=True))
        if term is None
    )
    return TermList(recognised, unknown, len(recognised) + len(unknown) < len(entries))


def raised_flags(terms: Sequence[str], rules: Sequence[RedFlag]) -> tuple[RedFlag, ...]:
    """Return the rules that fire for these ids, in the order of the rules."""
    present = frozenset(terms)
    return tuple(
        rule
        for rule in rules
        if present.issuperset(rule.all_of)
        and (not rule.any_of or not present.isdisjoint(rule.any_of))
    )


def _entries(document: Mapping[str, Json]) -> list[str]:
    """Return the checked list of texts."""
    if not document.keys() <= {FIELD}:
        raise InvalidField(
            f"The object holds an unknown member. Known: {FIELD}.", code="unknown_field"
        )
    entries = document.get(FIELD)
    if entries is None:
        raise InvalidField(f"{FIELD} is missing.", code="missing_field", field=FIELD)
    if not isinstance(entries, list):
        raise InvalidField(f"{FIELD} takes a list of texts.", code="invalid_field", field=FIELD)
    if len(entries) > MAX_ENTRIES:
        raise InvalidField(
            f"{FIELD} takes at most {MAX_ENTRIES} entries.", code="too_many_entries", field=FIELD
        )
    return [_text(entry) for entry in entries]


def _text(entry: Json) -> str:
    """Return one entry when it is a text of allowed length."""
    if not isinstance(entry, str):
        raise InvalidField(f"{FIELD} takes a list of texts.", code="invalid_field", field=FIELD)
    if len(entry) > MAX_CHARS:
        raise InvalidField(
            f"An entry of {FIELD} takes at most {MAX_CHARS} characters.",
            code="text_too_long",
            field=FIELD,
        )
    return entry


def _plain(text: str) -> str:
    """Bring a spelling to lower case with single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SEPARATORS.sub(" ", folded).strip()
