"""Guards really guard: without any one of them, its tests turn red."""

from __future__ import annotations

import ast
import shutil
import time

import pytest

from deploy.fault_table import chapters
from tests.soak.figures import keep
from tests.soak.removal import ROOT, Guard, Outcome, copy_tree, guards, run_tests, without

TABLE = guards()
ROWS = {row.id for chapter in chapters() for row in chapter.rows}
LEAST_GUARDS = 60
LEAST_SHARE = 0.95


def names_of_tests(path: str) -> set[str]:
    """The names of the tests of a file."""
    nodes = ast.walk(ast.parse((ROOT / path).read_text()))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in nodes if isinstance(node, kinds)}


def selected() -> dict[str, list[str]]:
    """Everything that the table selects, by test file; a file that is named whole stands alone."""
    found: dict[str, set[str]] = {}
    for test in (test for guard in TABLE for test in guard.tests):
        found.setdefault(test.partition("::")[0], set()).add(test)
    return {path: [path] if path in tests else sorted(tests) for path, tests in found.items()}


@pytest.mark.parametrize("guard", TABLE, ids=lambda guard: guard.name)
def test_a_guard_of_the_table_stands_in_its_file_and_can_be_taken_out(guard: Guard):
    assert guard.text != guard.without
    compile(guard.removed, guard.file, "exec")


def test_the_table_names_rows_and_tests_that_exist():
    assert {row for guard in TABLE for row in guard.rows} <= ROWS
    assert all(guard.tests for guard in TABLE)
    for path, tests in selected().items():
        named = {test.partition("::")[2] for test in tests} - {""}
        assert named <= names_of_tests(path), path


def test_the_table_is_large_and_names_each_guard_once():
    names = [guard.name for guard in TABLE]

    assert len(names) >= LEAST_GUARDS
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("def test_it(): assert True", "green"),
        ("def test_it(): assert False", "red"),
        ("import nothing_of_this_name", "broken"),
        ("def test_it(absent): pass", "broken"),
        ("", "broken"),
    ],
)
def test_only_a_test_that_fails_counts_as_red(test, verdict, tmp_path):
    (tmp_path / "test_it.py").write_text(test)

    assert run_tests(tmp_path, ["test_it.py"]).verdict == verdict


@pytest.mark.soak
def test_figure_18_without_a_guard_its_tests_turn_red(tmp_path):
    started = time.monotonic()
    whole = copy_tree(tmp_path / "whole")
    control = {path: run_tests(whole, tests) for path, tests in selected().items()}
    outcomes: dict[str, Outcome] = {}
    for guard in TABLE:
        outcomes[guard.name] = without(guard, tmp_path / "changed")
        shutil.rmtree(tmp_path / "changed")

    others = {name: how.verdict for name, how in outcomes.items() if how.verdict != "red"}
    share = 1 - len(others) / len(TABLE)
    keep(
        "guards",
        {
            "guards": len(TABLE),
            "missed_by_their_tests": len(TABLE) - len(others),
            "share": round(share, 4),
            "not_red": others,
            "seconds": round(time.monotonic() - started),
            "first_test_that_failed": {name: how.failed for name, how in outcomes.items()},
        },
    )
    assert {path: how.printed for path, how in control.items() if how.verdict != "green"} == {}
    assert share >= LEAST_SHARE, others
