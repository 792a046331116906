"""Every fault of the list has a test, and every test that names one names a real one."""

from deploy.fault_table import chapters, left_out, page, rows_with_tests
from tests.architecture.compose_file import ROOT

ROWS = [row.id for chapter in chapters() for row in chapter.rows]


def test_every_fault_has_a_test():
    shown = rows_with_tests()

    assert [row for row in ROWS if row not in shown] == []


def test_no_test_names_a_fault_that_is_not_on_the_list():
    unknown = {name: tests for name, tests in rows_with_tests().items() if name not in ROWS}

    assert unknown == {}


def test_the_list_is_whole():
    counts = {letter: sum(name[0] == letter for name in ROWS) for letter in "TIWXCF"}

    assert counts == {"T": 16, "I": 14, "W": 8, "X": 4, "C": 10, "F": 18}
    assert len(ROWS) == len(set(ROWS))
    assert len(left_out().ids) == 12


def test_a_row_without_a_test_and_a_test_without_a_row_would_be_seen(tmp_path):
    (tmp_path / "test_it.py").write_text("async def test_T3_F99_it(): pass\n")

    assert rows_with_tests(tmp_path) == {
        "T3": ["test_it.py::test_T3_F99_it"],
        "F99": ["test_it.py::test_T3_F99_it"],
    }


def test_the_page_is_the_one_that_the_tests_write():
    assert (ROOT / "docs/fault-table.md").read_text() == page(), "run: make docs"
