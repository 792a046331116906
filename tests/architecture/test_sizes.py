"""A file fits in the head, and so does a function."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "contracts",
    "serving",
    "gateway",
    "vision_service",
    "tabular_service",
    "training",
    "client",
    "deploy",
    "examples",
)
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40
# Written by the tool that makes migrations: one long list of columns.
GENERATED = ROOT / "gateway" / "migrations" / "versions"

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield each function's name and the lines of its body, without signature and docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
            first = statements[0].lineno if statements else node.end_lineno
            yield node.name, (node.end_lineno or 0) - (first or 0) + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_250_lines(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if GENERATED not in path.parents],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_function_has_at_most_40_lines(path):
    long = {
        name: lines for name, lines in functions(path.read_text()) if lines > MAX_FUNCTION_LINES
    }

    assert not long


def test_a_package_re_exports_nothing():
    importing = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.name == "__init__.py"
        and any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(_tree(path)))
    ]

    assert not importing


def test_no_folder_of_tests_is_a_package():
    assert not list((ROOT / "tests").rglob("__init__.py"))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
