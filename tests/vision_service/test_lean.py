"""What a service process must not carry with it."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from vision_service.lean import import_torchvision
import_torchvision()
import vision_service.app
import torch
from contracts.explainer import influence_map
from contracts.network import build_network
network = build_network("efficientnet_b0", 2).eval()
found = influence_map(network, torch.rand(3, 64, 64), 1, "features[5]")
print(json.dumps({"modules": list(sys.modules), "map": list(found.values.shape)}))
"""


def test_neither_start_nor_explanation_loads_the_compiler_or_the_exporter_of_torch():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)

    assert result["map"] == [4, 4]
    loaded = set(result["modules"])
    assert not loaded & {
        "torch._dynamo",
        "torch._inductor",
        "triton",
        "sympy",
        "onnx",
        "onnxscript",
    }
    assert "torchvision.models.efficientnet" in loaded


def test_the_real_compiler_can_be_imported_afterwards():
    program = (
        "from vision_service.lean import import_torchvision; import_torchvision();"
        "import torch._dynamo.utils as real; print(real.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("utils.py")
