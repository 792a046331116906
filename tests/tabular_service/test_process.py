"""The service as a process: what it refuses before it listens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SERVICE_MODALITY": "nonsense"}, "no such modality"),
        ({"SERVICE_PORT": "x"}, "SERVICE_PORT"),
        ({"SERVICE_THREADS": "x"}, "SERVICE_THREADS"),
        ({"SERVICE_HOST": "0.0.0.0"}, "required beyond loopback"),
        ({"SERVICE_HOST": "0.0.0.0", "SERVICE_INTERNAL_TOKEN": "changeme"}, "weak"),
    ],
)
def test_wrong_settings_are_one_clear_line(environment, words):
    done = subprocess.run(
        [sys.executable, "-m", "tabular_service"],
        cwd=ROOT,
        env=os.environ | {"SERVICE_MODALITY": "symptoms"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
