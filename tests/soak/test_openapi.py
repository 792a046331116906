"""Every operation of the OpenAPI document against the running system, by Schemathesis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.e2e.processes import ROOT
from tests.soak.conftest import OPEN
from tests.soak.figures import keep
from tests.soak.system import System, running

#: Files are damaged on purpose, and one path takes six kinds of input: a schema that fits may
#: still be refused. Server errors have a check of our own.
NOT_MEANT = "positive_data_acceptance,not_a_server_error"
CONFIG = ROOT / "tests/soak/schemathesis.toml"
LONG_EXAMPLES = 1000
LONG_CASES = 20_000


def schemathesis(system: System, folder: Path, *options: str) -> dict[str, int]:
    """Run all checks and return how often each status was the answer; fail on any finding."""
    answers, document = folder / "answers.json", folder / "openapi.json"
    document.write_bytes(httpx2.get(f"{system.url}/openapi.json", timeout=60).content)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)]
    command += ["run", str(document), "-u", system.url]
    command += ["--no-color", "--continue-on-failure", "--generation-database", "none"]
    command += ["--exclude-checks", NOT_MEANT, "--request-timeout", "90", *options]
    command += ["--suppress-health-check", "all"]  # a slow machine is no finding
    result = subprocess.run(
        command,
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.soak.schemathesis_hooks",
            "ANSWERS_FILE": str(answers),
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-30_000:] + result.stderr[-2000:]
    return {status: int(count) for status, count in json.loads(answers.read_text()).items()}


def test_figure_4_no_server_error_and_no_undocumented_answer_in_examples_and_edge_cases(
    system, tmp_path
):
    answers = schemathesis(system, tmp_path, "--max-time", "50", "-n", "3", "--seed", "1")

    assert sum(answers.values()) > 100
    assert answers["200"] > 10


@pytest.mark.soak
def test_figure_4_twenty_thousand_cases_in_all_phases(tmp_path):
    with running(tmp_path, **OPEN) as system:
        answers = schemathesis(system, tmp_path, "-n", str(LONG_EXAMPLES))

    keep("schemathesis", {"cases": sum(answers.values()), "answers": answers})
    assert sum(answers.values()) >= LONG_CASES
