import pytest

from serving.control import unless_starved


async def run(outcome):
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def test_the_report_of_a_control_run_is_returned():
    assert await unless_starved(run("well")) == "well"


async def test_F12_a_control_run_without_memory_reports_nothing():
    assert await unless_starved(run(MemoryError())) is None


async def test_any_other_failure_of_a_control_run_is_one():
    with pytest.raises(ValueError, match="broken"):
        await unless_starved(run(ValueError("broken")))
