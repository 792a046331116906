"""`docs/fault-table.md`: every fault, what is answered, and the tests that show it.

Written by `python -m deploy.fault_table` from `fault_rows.toml` and the names of the tests: a test
carries the ids of the rows that it shows, as in `test_T3_a_lying_length_is_refused`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS_FILE = Path(__file__).with_name("fault_rows.toml")
LEFT_OUT = "left-out"
_IDS = re.compile(r"test_((?:[TIWXCFD]\d+_)+)")
_INTRODUCTION = """# Faults and what answers them

Every fault that MediFlow is built to meet, and the tests that show it. Written by
`python -m deploy.fault_table` from the names of the tests; a row without a test, and a test that
names no row, fail the build. Errors are `application/problem+json` with a `code`; none repeats
anything of the input.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what happens, and what the product answers."""

    id: str
    happens: str
    answer: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Ids of the fault model that do not apply, and why."""

    ids: tuple[str, ...]
    reason: str


def chapters() -> tuple[Chapter, ...]:
    """Return the rows that apply, in their order."""
    return tuple(
        Chapter(
            str(table["title"]),
            tuple(Row(name, *pair) for name, pair in table.items() if name != "title"),
        )
        for key, table in _tables().items()
        if key != LEFT_OUT
    )


def left_out() -> LeftOut:
    """Return what does not apply."""
    table = _tables()[LEFT_OUT]
    return LeftOut(tuple(table["rows"]), str(table["reason"]))


def rows_with_tests(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Return the tests of each id that a test names, as `path::name` below the folder."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name in _test_names(path):
            match = _IDS.match(name)
            for row_id in match[1].rstrip("_").split("_") if match else ():
                found.setdefault(row_id, []).append(f"{path.relative_to(folder)}::{name}")
    return found


def page() -> str:
    """Return the whole page."""
    tests = rows_with_tests()
    parts = [_INTRODUCTION]
    for chapter in chapters():
        parts.append(f"## {chapter.title}\n\n" + "\n".join(_table(chapter, tests)) + "\n")
    absent = left_out()
    parts.append(f"## Left out\n\n{', '.join(absent.ids)}: {absent.reason}\n")
    return "\n".join(parts)


def _table(chapter: Chapter, tests: dict[str, list[str]]) -> Iterator[str]:
    yield "| row | what happens | what is answered | tests |"
    yield "|---|---|---|---|"
    for row in chapter.rows:
        shown = "<br>".join(_link(test) for test in tests.get(row.id, []))
        yield f"| {row.id} | {row.happens} | {row.answer} | {shown} |"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[`{name.removeprefix('test_')}`](../tests/{path})"


def _tables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(ROWS_FILE.read_text())


def _test_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


if __name__ == "__main__":
    print(page(), end="")
