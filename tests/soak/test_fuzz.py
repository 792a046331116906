"""Every parser of strangers' bytes under coverage-guided fuzzing: only the declared refusals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT
from tests.soak.figures import keep

pytest.importorskip("atheris", reason="Atheris runs on Linux on x86-64 only")

PARSERS = ("images", "multipart", "wfdb-header", "wfdb-record", "zipped-record", "tables")
MOST_MEMORY_MIB = 1536
_STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)


def fuzz(parser: str, folder: Path, *options: str) -> dict[str, int]:
    """Fuzz one parser in a process; return libFuzzer's statistics, fail with its report."""
    command = [sys.executable, "-m", "tests.soak.fuzz", parser, str(folder), *options]
    command += ["-print_final_stats=1", "-timeout=60", f"-rss_limit_mb={MOST_MEMORY_MIB}"]
    # A program's peak of memory begins with the memory of whoever started it. A shell has little.
    result = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *command],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert result.returncode == 0, result.stderr[-4000:]
    assert not list(folder.glob("crash-*")), result.stderr[-4000:]
    return {name: int(value) for name, value in _STATISTIC.findall(result.stderr)}


@pytest.mark.parametrize("parser", PARSERS)
def test_figure_4_a_thousand_mutations_of_each_input_end_in_declared_refusals(parser, tmp_path):
    statistics = fuzz(parser, tmp_path, "-runs=1000", "-seed=1")

    assert statistics["number_of_executed_units"] >= 1000


@pytest.mark.soak
@pytest.mark.parametrize("parser", PARSERS)
def test_figure_4_five_minutes_of_fuzzing_end_in_declared_refusals(parser, tmp_path):
    statistics = fuzz(parser, tmp_path, "-max_total_time=300")

    keep(f"fuzzing-{parser}", statistics)
