"""The page of figures, made from figures that are known."""

from __future__ import annotations

import pytest

from bench.goals import goals
from bench.names import OURS, PLAIN
from bench.page import write_page
from bench.parts import Part, keep_part
from bench.results import (
    FILE,
    Added,
    Contestant,
    Livez,
    Machine,
    MemoryUse,
    Point,
    Serving,
    Size,
    Starts,
    keep,
)


def point(load: float, rate: float, p50: float = 10.0, p99: float = 20.0) -> Point:
    return Point(load=load, rate=rate, p50_ms=p50, p99_ms=p99, failures=0)


def contestant(name: str, rates: tuple[float, ...], p50: float) -> Contestant:
    closed = tuple(point(n, rate, p50) for n, rate in zip((1, 32), rates, strict=True))
    return Contestant(name=name, settings=f"how {name} runs", closed=closed, open=(point(9, 9),))


@pytest.fixture
def figures() -> Serving:
    return Serving(
        date="2026-01-02",
        commit="abc1234",
        machine=Machine(processor="A CPU", cores=2, system="Linux", versions={"torch": "2"}),
        contestants=(
            contestant(OURS, (60, 100), p50=12),
            contestant(PLAIN, (30, 35), p50=30),
            contestant("other", (20, 40), p50=50),
        ),
        seconds=8,
        failed={"a third": "could not be installed"},
        floor_rate=125,
        stages_ms={"decode": 4.0},
        added=Added(gateway_ms=12.0, service_ms=7.0),
        livez=Livez(gateway_p99_ms=20, service_p99_ms=30),
        sizes=(Size(side=512, size_bytes=51_200, ours=point(8, 90), plain=point(8, 45)),),
        memory=MemoryUse(
            requests=5000,
            service_rest=600,
            service_half=604,
            service_after=606,
            service_rest_shared_out=300,
            gateway_rest=100,
            gateway_after=101,
        ),
        starts=Starts(cold_seconds=7, warm_seconds=4),
    )


def test_each_goal_is_decided_by_the_figures_of_the_run(figures):
    found = {goal.measured: goal.met for goal in goals(figures)}

    assert found == {
        "2.50 ×": True,  # 100 over the best other, 40
        "0.80": True,  # 100 of 125
        "0.40 ×": True,  # 12 ms over 30 ms
        "5.0 ms": False,  # 12 minus 7, over the gate of 4
        "30.0 ms": True,
        "600 MiB": True,
        "+1.0%": True,
        "7.0 s": True,
    }


def test_the_page_shows_ratios_missed_goals_and_who_was_absent(figures, tmp_path):
    keep(figures, tmp_path / FILE)
    part = Part(
        title="A part", text="What.", columns=("x",), rows=(("1",),), command="run", date="today"
    )
    keep_part(part, tmp_path, "1-part")

    write_page(tmp_path / FILE, tmp_path, tmp_path / "page")

    text = (tmp_path / "page" / "benchmarks.md").read_text()
    assert "| 5.0 ms | ≤ 4 ms | ≤ 2 ms | **no** |" in text
    assert "| other | 20.0 (50 / 20 ms) | 40.0 (50 / 20 ms) | 2.50 × | 0 |" in text
    assert "| 512 px, 50 KB | 90.0 (20 ms) | 45.0 (20 ms) | 2.00 × |" in text
    assert "| a third | could not be installed |" in text
    assert "## A part" in text
    assert (tmp_path / "page" / "benchmarks.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_in_which_everything_failed_still_gives_a_page(figures, tmp_path):
    nothing = Serving(
        date=figures.date,
        commit=figures.commit,
        machine=figures.machine,
        seconds=8,
        failed={OURS: "did not start", "Floor": "OSError"},
    )
    keep(nothing, tmp_path / FILE)

    write_page(tmp_path / FILE, tmp_path, tmp_path)

    text = (tmp_path / "benchmarks.md").read_text()
    assert f"| {OURS} | did not start |" in text
    assert "| Floor | OSError |" in text
    assert [goal for goal in goals(nothing) if goal.met or goal.measured != "not measured"] == []
