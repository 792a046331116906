import subprocess
import sys

SCRIPT = """
import asyncio, sys
from pathlib import Path
from tabular_service.no_torch import keep_torch_out
keep_torch_out()
from contracts.registry import get_modality
from tabular_service.app import create_app
from tabular_service.model import load_model
model = load_model(Path(sys.argv[1]), get_modality("symptoms"))
model.scorer.score({"symptoms": ["cough"]})
loaded = {"torch", "torchvision", "PIL"} & set(sys.modules)
sys.exit(",".join(loaded) or 0)
"""


def test_the_process_loads_and_answers_without_torch(symptoms_file):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(symptoms_file)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
