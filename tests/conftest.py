"""What holds for every test: with REQUIRE_ALL set, no server may be missing."""

import os
from collections.abc import Generator

import pytest

NEEDS_A_SERVER = ("browser", "postgres", "redis")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test that needs a server into a failure where all must run."""
    report = yield
    marked = any(item.get_closest_marker(name) for name in NEEDS_A_SERVER)
    if report.skipped and marked and os.environ.get("REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL is set, but this was skipped: {report.longrepr}"
    return report
